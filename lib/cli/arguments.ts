/**
 * The command line, brought into one shape before yargs reads it: `--flag-with-dashes=value`, always with the value.
 *
 * Both spellings of a flag are one, a switch needs no value (`--wildcards`, `--no-wildcards`), and an unknown flag or a
 * missing value is said in our own words. PURE.
 */
import { usageError } from '../domain/errors.js';
import { findFlag, flag, type FlagName } from '../config/flags.js';

/** The flags that are not settings: yargs' own. */
const OWN_FLAGS = ['--help', '--version'];

/**
 * @param argv without the interpreter and the script.
 * @throws ProxyError ERR_USAGE: an unknown flag, or one without its value.
 */
export function canonicalArguments(argv: readonly string[]): string[] {
  const canonical: string[] = [];
  const rest = [...argv];
  for (let token = rest.shift(); token !== undefined; token = rest.shift()) {
    if (!token.startsWith('-') || OWN_FLAGS.includes(token)) {
      canonical.push(token);
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
      throw usageError(`unknown flag ${JSON.stringify(token.replace(/=[\s\S]*/, ''))}, see --help`);
    }
    if (value !== undefined) throw usageError(`--${spelled} takes no value`);
    canonical.push(`--${negated}=false`);
  }
  return canonical;
}

// A switch needs no value; a word that follows is its value only where it can be nothing else.
function switchValue(name: FlagName, rest: string[]): string | undefined {
  if (flag(name).kind !== 'boolean') return undefined;
  return rest[0] === 'true' || rest[0] === 'false' ? rest.shift() : 'true';
}

function nextValue(spelled: string, rest: string[]): string {
  const value = rest[0]?.startsWith('--') === true ? undefined : rest.shift();
  if (value === undefined) throw usageError(`--${spelled} needs a value`);
  return value;
}
