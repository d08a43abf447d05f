/**
 * The manual page docs/peter-sslers-proxy.1, made from the list of commands and the table of flags.
 */
import { VERSION } from '../../lib/base/version.js';
import { exitCodesOf, flagsOf, type ClientCommand } from '../../lib/cli/command.js';
import { CLIENT_COMMANDS } from '../../lib/cli/commands.js';
import { DEFAULTS, environmentName, flag, FLAG_NAMES, type FlagName } from '../../lib/config/flags.js';

const PROGRAM = 'peter-sslers-proxy';

/** Text as roff takes it: in ASCII, with dashes that can be copied, and no line that begins as a request. */
function roff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll(
      /[^\n -~]/gu,
      (char) => `\\[u${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}]`,
    )
    .replaceAll(/^(?=[.'])/gm, '\\&');
}

/** An argument of a request. */
const argument = (text: string): string => `"${roff(text).replaceAll('"', '\\(dq')}"`;

export function manPage(): string {
  return [
    `.\\" Made from the tables of the program: npm run docs:man`,
    `.TH ${PROGRAM.toUpperCase().replaceAll('-', '\\-')} 1 "" ${argument(`${PROGRAM} ${VERSION}`)} "User Commands"`,
    '.SH NAME',
    `${roff(PROGRAM)} \\- TLS\\-terminating reverse proxy that picks each connection\\(aqs certificate during the handshake`,
    '.SH SYNOPSIS',
    ...['start', ...CLIENT_COMMANDS.map(({ name }) => name)].flatMap((name, index) => [
      ...(index === 0 ? [] : ['.br']),
      `.B ${roff(`${PROGRAM} ${name}`)}`,
      roff(synopsisOf(name)),
    ]),
    '.SH DESCRIPTION',
    roff(
      'Certificates come from a directory, from Redis as the peter_sslers certificate manager primes it, from the',
    ),
    roff('manager itself, or from an authority of its own for development.'),
    '.SH COMMANDS',
    ...head('start'),
    roff('Run in the foreground, with the flags below.'),
    ...CLIENT_COMMANDS.flatMap(commandText),
    '.SH FLAGS',
    roff(
      'Dashes and underscores are equal, and a switch is off as --no-NAME. A flag goes before its environment variable',
    ),
    roff(
      `(--cert-dir: ${environmentName('cert-dir')}), that before a key of --config, and that before the default.`,
    ),
    roff('Durations are seconds (90, 0.5) or 500ms, 10m, 1h30m, 2d; sizes are bytes or 64K, 256MiB, 1G.'),
    ...FLAG_NAMES.flatMap(flagText),
    '.SH SIGNALS',
    ...signal('SIGHUP', 'Reads settings and files again; where anything is wrong, all stays as it was.'),
    ...signal('SIGTERM, SIGQUIT, SIGINT', 'Finishes what is under way, and ends. A second one: at once.'),
    ...signal('SIGUSR1', 'Opens the log files anew.'),
    '.SH SEE ALSO',
    roff('The documentation that comes with the program: README.md, docs/install.md, docs/operations.md.'),
    '',
  ].join('\n');
}

function synopsisOf(name: string): string {
  const operands = CLIENT_COMMANDS.find((command) => command.name === name)?.operands ?? '';
  return `${operands} [flags]`.trim();
}

function head(text: string): string[] {
  return ['.TP', `.B ${roff(text)}`];
}

const signal = (name: string, says: string): string[] => [...head(name), roff(says)];

function commandText(command: ClientCommand): string[] {
  const { name, operands, says, options } = command;
  const own = Object.entries(options).map(
    ([option, { value, says: meaning }]) =>
      `--${option}${value === undefined ? '' : ` ${value}`}: ${meaning}.`,
  );
  const flags = flagsOf(command);
  const taken =
    flags.length === FLAG_NAMES.length
      ? 'It takes all flags of start, too.'
      : flags.length === 0
        ? ''
        : `It takes ${flags.map((each) => `--${each}`).join(', ')}, too.`;
  const codes = exitCodesOf(command)
    .map(([code, meaning]) => `${code}: ${meaning}`)
    .join('; ');
  return [
    ...head(`${name} ${operands}`.trim()),
    ...[`${says}.`, ...own, taken, `Exit codes: ${codes}.`]
      .filter((line) => line !== '')
      .flatMap((line, index) => [...(index === 0 ? [] : ['.br']), roff(line)]),
  ];
}

function flagText(name: FlagName): string[] {
  const { kind, value, description, repeatable } = flag(name);
  const shown = kind === 'boolean' ? '' : ` ${value}${repeatable === true ? ' ...' : ''}`;
  return [...head(`--${name}${shown}`), roff(description), '.br', roff(`Default: ${DEFAULTS[name]}.`)];
}
