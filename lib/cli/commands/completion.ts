/** `completion SHELL`: a script that completes commands, flags and their values. */
import { usageError } from '../../domain/errors.js';
import { JSON_OPTION, print, type ClientCommand } from '../command.js';
import { bashCompletion } from '../completion/bash.js';
import { fishCompletion } from '../completion/fish.js';
import { commandWords } from '../completion/words.js';
import { zshCompletion } from '../completion/zsh.js';
import { PROGRAM } from '../parser.js';

const SCRIPTS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;

/** @param commands all that there are, this one included. */
export function completionCommand(commands: () => readonly ClientCommand[]): ClientCommand {
  return {
    name: 'completion',
    operands: '<SHELL>',
    operandChoices: Object.keys(SCRIPTS),
    says: 'print a script by which bash, zsh or fish completes commands and flags',
    isLocal: true,
    options: JSON_OPTION,
    run(context) {
      const [shell = ''] = context.operands;
      if (!Object.hasOwn(SCRIPTS, shell)) {
        throw usageError(`completion: name bash, zsh or fish, not ${JSON.stringify(shell)}`);
      }
      const make = SCRIPTS[shell as keyof typeof SCRIPTS];
      const script = make(PROGRAM, commandWords(commands()));
      print(context, { shell, script }, () => script);
      return Promise.resolve(0);
    },
  };
}
