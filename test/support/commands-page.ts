/**
 * The commands in docs/commands.md, made from the definitions that the program runs by.
 */
import { exitCodesOf, type ClientCommand } from '../../lib/cli/command.js';
import { CLIENT_COMMANDS } from '../../lib/cli/commands.js';

const escape = (text: string): string => text.replaceAll('|', '\\|');

/** A command each, `start` left out: docs/flags.md has all that there is to it. */
export function commandsText(): string {
  return CLIENT_COMMANDS.map(commandText).join('\n\n');
}

function commandText(command: ClientCommand): string {
  const { name, operands, says, options, takesSettings, isLocal } = command;
  const usage = `peter-sslers-proxy ${name} ${operands}`.trim();
  const rows = Object.entries(options).map(
    ([option, { value, says: meaning }]) =>
      `| \`--${option}\`${value === undefined ? '' : ` ${escape(value)}`} | ${escape(meaning)} |`,
  );
  return [
    `## ${name}`,
    `\`${usage}\`: ${escape(says)}.`,
    ...(rows.length === 0 ? [] : ['| option | |\n|---|---|\n' + rows.join('\n')]),
    takesSettings === true
      ? 'It takes all [flags](flags.md) of `start`, the environment and `--config`, too.'
      : isLocal === true
        ? ''
        : 'It takes `--control-socket`, `--state-dir` and `--config`, which say where the program is.',
    `Exit codes: ${exitCodesOf(command)
      .map(([code, meaning]) => `${code}: ${meaning}`)
      .join('; ')}.`,
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}
