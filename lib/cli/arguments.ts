/**
 * The command line, brought into one shape before yargs reads it: `--flag-with-dashes=value`, always with the value.
 *
 * Both spellings of a flag are one, a switch needs no value (`--wildcards`, `--no-wildcards`), and an unknown flag or a
 * missing value is said in our own words. PURE.
 */
import { usageError } from '../domain/errors.js';
import { findFlag, flag, type FlagName } from '../config/flags.js';
import { parseBoolean, Problem } from '../config/parse.js';
import { unknownFlag } from './usage.js';

/** The flags that are not settings: yargs' own. Short is what is short everywhere; `-v` is "verbose" as often as "version". */
const OWN_FLAGS: ReadonlyMap<string, string> = new Map([
  ['--help', '--help'],
  ['-h', '--help'],
  ['--version', '--version'],
  ['-V', '--version'],
]);

/**
 * @param argv without the interpreter and the script.
 * @param options names of options that a command has beside the flags: these are left as they are.
 * @throws ProxyError ERR_USAGE: an unknown flag, or one without its value.
 */
export function canonicalArguments(argv: readonly string[], options: readonly string[] = []): string[] {
  const canonical: string[] = [];
  const rest = [...argv];
  for (let token = rest.shift(); token !== undefined; token = rest.shift()) {
    const own = OWN_FLAGS.get(token);
    const isOption = options.includes(/^--([^=]+)/.exec(token)?.[1] ?? '');
    if (own !== undefined || isOption || !token.startsWith('-')) {
      canonical.push(own ?? token);
      continue;
    }
    const [, spelled = '', value] = /^--([^=]*)(?:=([\s\S]*))?$/.exec(token) ?? [];
    const name = findFlag(spelled);
    if (name !== undefined) {
      canonical.push(`--${name}=${value ?? switchValue(name, rest) ?? nextValue(spelled, rest)}`);
      continue;
    }
    const negated = /^no[-_]/.test(spelled) ? findFlag(spelled.slice(3)) : undefined;
    if (negated === undefined || flag(negated).kind !== 'boolean') {
      throw usageError(unknownFlag(token));
    }
    if (value !== undefined) throw usageError(`--${spelled} takes no value`);
    canonical.push(`--${negated}=false`);
  }
  return withHelp(canonical);
}

/** The words of canonical arguments: a command, and what may follow it. */
export function wordsOf(canonical: readonly string[]): string[] {
  return canonical.filter((token) => !token.startsWith('-'));
}

/** `help start` is `start --help`. */
function withHelp(canonical: readonly string[]): string[] {
  if (wordsOf(canonical)[0] !== 'help') return [...canonical];
  const index = canonical.indexOf('help');
  return [...canonical.slice(0, index), ...canonical.slice(index + 1), '--help'];
}

// A switch needs no value; a word that follows is its value only where it can be nothing else.
function switchValue(name: FlagName, rest: string[]): string | undefined {
  if (flag(name).kind !== 'boolean') return undefined;
  const isValue = rest[0] !== undefined && !(parseBoolean(rest[0]) instanceof Problem);
  return isValue ? rest.shift() : 'true';
}

function nextValue(spelled: string, rest: string[]): string {
  const value = rest[0]?.startsWith('--') === true ? undefined : rest.shift();
  if (value === undefined) throw usageError(`--${spelled} needs a value`);
  return value;
}
