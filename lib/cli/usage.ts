/**
 * What is said of a command line that cannot be understood, with a guess at what was meant. PURE.
 */
import { didYouMean, nearest } from '../base/nearest.js';
import { FLAG_NAMES, findFlag, flag } from '../config/flags.js';
import { parseBoolean, Problem } from '../config/parse.js';
import { quote } from '../config/precedence.js';
import { COMMANDS, isCommand } from './commands.js';

const COMMAND_NAMES = COMMANDS.map(({ name }) => name);
const SWITCHES = FLAG_NAMES.filter((name) => flag(name).kind === 'boolean');
/** What may stand behind two dashes. */
const LONG = [...FLAG_NAMES, 'help', 'version', ...SWITCHES.map((name) => `no-${name}`)];
const SHORT = ['h', 'V'];

/** @param token as it was typed. Its value is not quoted: it may be a password. */
export function unknownFlag(token: string): string {
  const [, dashes = '', name = ''] = /^(-*)([^=]*)/.exec(token) ?? [];
  const isShort = dashes === '-' && name.length === 1;
  const guess = nearest(name.replaceAll('_', '-'), isShort ? SHORT : LONG);
  const hint = guess === undefined ? ', see --help' : `: did you mean ${isShort ? '-' : '--'}${guess}?`;
  return `unknown flag ${JSON.stringify(dashes + name)}${hint}`;
}

export function noCommand(): string {
  return `name a command: ${COMMAND_NAMES.join(', ')} (see --help)`;
}

/**
 * What is said of words that no command takes.
 *
 * @param message yargs' own: nothing else tells which words it has not understood.
 * @param argv as typed.
 * @param words those in it that are no flags and no values of flags.
 */
export function unknownWord(
  message: string | null,
  argv: readonly string[],
  words: readonly string[],
): string {
  const unknown = /^Unknown (?:argument|command)s?: (.*)$/.exec(message ?? '')?.[1];
  if (unknown === undefined) return `${message ?? 'wrong usage'} (see --help)`;
  const word = words.find((each) => unknown === each || unknown.startsWith(`${each}, `)) ?? unknown;
  const isNamed = words.some(isCommand);
  const guess = isNamed ? '' : didYouMean(word, [...COMMAND_NAMES, 'help']);
  const behind = guess === '' ? wordBehindSwitch(word, argv) : undefined;
  if (behind !== undefined) return behind;
  if (isCommand(words[0] ?? '')) return `${JSON.stringify(word)} is one word too many (see --help)`;
  return `${JSON.stringify(word)} is no command${guess === '' ? `: ${allCommands()} (see --help)` : guess}`;
}

/** A word behind a switch was meant for its value: `--enable-autocert maybe`. */
function wordBehindSwitch(word: string, argv: readonly string[]): string | undefined {
  const before = argv[argv.lastIndexOf(word) - 1] ?? '';
  const spelled = /^--([^=]+)$/.exec(before)?.[1] ?? '';
  if (LONG.includes(spelled.replaceAll('_', '-')) && /^no[-_]/.test(spelled))
    return `${before} takes no value`;
  const name = findFlag(spelled);
  const problem = parseBoolean(word);
  if (name === undefined || !SWITCHES.includes(name) || !(problem instanceof Problem)) return undefined;
  return `--${name} ${problem.clause}, not ${quote(word)}`;
}

function allCommands(): string {
  const last = COMMAND_NAMES.at(-1) ?? '';
  const others = COMMAND_NAMES.slice(0, -1).join(', ');
  return others === '' ? `the only one is ${last}` : `there are ${others} and ${last}`;
}
