/**
 * What may be typed after the program's name, for scripts that complete it: from the list of commands and the table of flags. PURE.
 */
import { flag, FLAG_NAMES, type FlagName } from '../../config/flags.js';
import { flagsOf, type ClientCommand } from '../command.js';

/** What follows an option. */
export type Value =
  | { readonly kind: 'none' }
  | { readonly kind: 'choices'; readonly choices: readonly string[] }
  | { readonly kind: 'file' }
  | { readonly kind: 'directory' }
  /** Nothing is known of it. */
  | { readonly kind: 'any' };

export interface OptionWord {
  /** With its dashes. */
  readonly word: string;
  readonly says: string;
  readonly value: Value;
}

export interface CommandWords {
  readonly name: string;
  readonly says: string;
  readonly options: readonly OptionWord[];
  /** What its operands are. */
  readonly operands: Value;
}

/** The words of `start` and of all other commands. */
export function commandWords(commands: readonly ClientCommand[]): CommandWords[] {
  const help: OptionWord = { word: '--help', says: 'show help', value: { kind: 'none' } };
  return [
    {
      name: 'start',
      says: 'run in the foreground',
      options: [...FLAG_NAMES.flatMap(flagWords), help],
      operands: { kind: 'none' },
    },
    ...commands.map((command) => ({
      name: command.name,
      says: command.says,
      options: [
        ...Object.entries(command.options).map(([name, { says, value }]): OptionWord => ({
          word: `--${name}`,
          says,
          value: { kind: value === undefined ? 'none' : 'any' },
        })),
        ...flagsOf(command).flatMap(flagWords),
        help,
      ],
      operands: operandWords(command),
    })),
  ];
}

function flagWords(name: FlagName): OptionWord[] {
  const { kind, choices, value, description } = flag(name);
  const word = `--${name}`;
  switch (kind) {
    case 'boolean':
      return [
        { word, says: description, value: { kind: 'none' } },
        { word: `--no-${name}`, says: `not: ${description}`, value: { kind: 'none' } },
      ];
    case 'choice':
      return [{ word, says: description, value: { kind: 'choices', choices: choices ?? [] } }];
    case 'path':
      return [{ word, says: description, value: { kind: value === 'DIR' ? 'directory' : 'file' } }];
    default:
      return [{ word, says: description, value: { kind: 'any' } }];
  }
}

/** `all|domain` are words to choose from; what is called FILE is a file. */
function operandWords({ operands, operandChoices }: ClientCommand): Value {
  if (operandChoices !== undefined) return { kind: 'choices', choices: operandChoices };
  if (operands.includes('FILE')) return { kind: 'file' };
  return { kind: operands === '' ? 'none' : 'any' };
}
