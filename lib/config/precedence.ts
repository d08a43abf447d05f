/**
 * Precedence: of everything that sets a flag, the text that counts, and the name of the place it came from.
 *
 * Command line > environment > configuration file > default. A place that sets a flag replaces what lower ones have of it;
 * lists are not joined. PURE but for the injected reader.
 */
import { resolve } from 'node:path';
import { nearest } from '../base/nearest.js';
import { ProxyError, fileError, usageError } from '../domain/errors.js';
import { parseConfigFile, type PairFiles } from './config-file.js';
import {
  ENVIRONMENT_PREFIX,
  environmentName,
  findFlag,
  flag,
  FLAG_NAMES,
  type FLAGS,
  type FlagKind,
  type FlagName,
} from './flags.js';
import { parseBoolean, parseChoice, parseNumber, Problem } from './parse.js';

/** Where settings come from. */
export interface SettingsInput {
  /** The command line: the values of each flag as they were given, by its name without the dashes. */
  readonly flags: Readonly<Record<string, readonly string[]>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Reads a file whole, as UTF-8. Throws like `fs.readFileSync`. The path is absolute. */
  readonly readFile: (path: string) => string;
  /** What relative paths, wherever they stand, are relative to. */
  readonly cwd: string;
}

/** The flags that are of a kind, by name. */
export type FlagsOf<K extends FlagKind> = {
  [N in FlagName]: (typeof FLAGS)[N]['kind'] extends K ? N : never;
}[FlagName];

/** Which place sets a flag. */
export type Origin = 'command line' | 'environment' | 'file' | 'default';

/** What was given of one flag. */
interface Given {
  readonly values: readonly string[];
  readonly origin: Origin;
  /** `--listen`, `PETER_SSLERS_LISTEN` or `FILE:LINE:COLUMN: listen`: what an error's sentence begins with. */
  readonly label: string;
  /** Beside the values of `listen`: see `FileEntry`. */
  readonly pairs?: readonly (PairFiles | undefined)[];
}

/** The values that count, read by kind. Every method throws ERR_USAGE in one sentence that begins with the flag's place. */
export class GivenFlags {
  readonly #given: ReadonlyMap<FlagName, Given>;
  readonly #input: SettingsInput;

  constructor(given: ReadonlyMap<FlagName, Given>, input: SettingsInput) {
    this.#given = given;
    this.#input = input;
  }

  /** Whether anything but the default sets it. */
  has(name: FlagName): boolean {
    return this.#given.has(name);
  }

  origin(name: FlagName): Origin {
    return this.#given.get(name)?.origin ?? 'default';
  }

  /** The values that count, unread; none where there is no default either. */
  texts(name: FlagName): readonly string[] {
    return this.#texts(name);
  }

  /** What a sentence about the flag begins with. */
  label(name: FlagName): string {
    return this.#given.get(name)?.label ?? `--${name}`;
  }

  /** Throws the sentence `LABEL CLAUSE`. */
  fail(name: FlagName, clause: string): never {
    throw usageError(`${this.label(name)} ${clause}`);
  }

  /** Every value of a flag, through a parser. */
  list<T>(name: FlagName, parse: (text: string) => T | Problem): T[] {
    return this.#texts(name).map((text) => this.#parsed(name, text, parse));
  }

  /** The value of a flag through a parser; undefined when neither it nor a default is there. */
  one<T>(name: FlagName, parse: (text: string) => T | Problem): T | undefined {
    return this.list(name, parse)[0];
  }

  boolean(name: FlagsOf<'boolean'>): boolean {
    return this.one(name, parseBoolean) ?? false;
  }

  choice<T extends string>(name: FlagsOf<'choice'>, choices: readonly T[]): T {
    return this.one(name, (text) => parseChoice(text, choices)) ?? this.fail(name, 'needs a value');
  }

  /** In the flag's own unit. */
  number(name: FlagsOf<'integer' | 'number' | 'bytes'>, whenAbsent = NaN): number {
    return this.one(name, (text) => parseNumber(text, flag(name))) ?? whenAbsent;
  }

  /** A duration in seconds, as whole milliseconds. */
  milliseconds(name: FlagsOf<'seconds'>): number {
    return Math.round((this.one(name, (text) => parseNumber(text, flag(name))) ?? NaN) * 1000);
  }

  /** As a setting has it: a switch, a number in the flag's own unit, a duration in milliseconds. */
  plain(name: FlagsOf<'boolean' | 'integer' | 'number' | 'bytes' | 'seconds'>): boolean | number {
    switch (flag(name).kind) {
      case 'boolean':
        return this.boolean(name as FlagsOf<'boolean'>);
      case 'seconds':
        return this.milliseconds(name as FlagsOf<'seconds'>);
      default:
        return this.number(name as FlagsOf<'integer' | 'number' | 'bytes'>);
    }
  }

  /** Absolute paths. */
  paths(name: FlagsOf<'path'>): string[] {
    return this.list(name, (text) => resolve(this.#input.cwd, text));
  }

  path(name: FlagsOf<'path'>): string | undefined {
    return this.paths(name)[0];
  }

  /** The text of a file. An error that it cannot be read begins with the label. */
  read(label: string, path: string): string {
    return readNamedFile(this.#input, label, path);
  }

  /** The default certificates that single listeners have in the configuration file: for each value of `--listen`. */
  listenerPairs(): (PairFiles | undefined)[] {
    const absolute = (path: string): string => resolve(this.#input.cwd, path);
    return (this.#given.get('listen')?.pairs ?? []).map(
      (files) => files && { ...files, certs: files.certs.map(absolute), keys: files.keys.map(absolute) },
    );
  }

  /** The file that a flag names, with its text; undefined when it names none. */
  readOne(name: FlagsOf<'path'>): { path: string; text: string } | undefined {
    const path = this.path(name);
    return path === undefined ? undefined : { path, text: this.read(this.label(name), path) };
  }

  #texts(name: FlagName): readonly string[] {
    const given = this.#given.get(name);
    if (given !== undefined) return given.values;
    const { default: value } = flag(name);
    if (value === undefined) return [];
    return typeof value === 'object' ? value : [String(value)];
  }

  #parsed<T>(name: FlagName, text: string, parse: (text: string) => T | Problem): T {
    const value = parse(text);
    if (!(value instanceof Problem)) return value;
    return this.fail(name, flag(name).secret === true ? value.clause : `${value.clause}, not ${quote(text)}`);
  }
}

/** A value as an error quotes it: on one line, and short. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}

/**
 * Gathers what the command line, the environment and the configuration file set.
 *
 * @returns the flags, and a warning for every `PETER_SSLERS_…` variable that is not ours (a container platform may
 *   well have set it).
 * @throws ProxyError ERR_USAGE: an unknown flag or key, a flag twice that takes one value, an empty value, an unreadable file (see `fileError`).
 */
export function gather(input: SettingsInput): { given: GivenFlags; warnings: string[] } {
  const given = new Map<FlagName, Given>();
  for (const [spelled, values] of Object.entries(input.flags)) {
    const name = findFlag(spelled);
    if (name === undefined) {
      const guess = nearest(spelled.replaceAll('_', '-'), FLAG_NAMES);
      throw usageError(`unknown flag --${spelled}${guess === undefined ? '' : `: did you mean --${guess}?`}`);
    }
    // Both spellings may have been used; they are one flag.
    const before = given.get(name)?.values ?? [];
    given.set(name, {
      values: [...before, ...separate(name, values)],
      label: `--${name}`,
      origin: 'command line',
    });
  }
  const warnings: string[] = [];
  const known = new Map(FLAG_NAMES.map((name) => [environmentName(name), name]));
  for (const [variable, text] of Object.entries(input.env)) {
    // A shell script or a unit file that leaves a variable out may set it to the empty text.
    if (!variable.startsWith(ENVIRONMENT_PREFIX) || text === undefined || text === '') continue;
    const name = known.get(variable);
    if (name === undefined) warnings.push(unknownVariable(variable, [...known.keys()]));
    else if (!given.has(name)) {
      given.set(name, { values: separate(name, [text], true), label: variable, origin: 'environment' });
    }
  }
  const config = given.get('config');
  if (config?.values.length === 1) {
    const file = resolve(input.cwd, config.values[0] ?? '');
    const entries = parseConfigFile(readNamedFile(input, config.label, file), file);
    for (const [name, { values, pairs, label }] of entries) {
      if (given.has(name)) continue;
      // An address that has certificates of its own stands alone: the rest of the list has its commas too.
      const parts = values.map((value, index) => (pairs?.[index] ? [value] : separate(name, [value])));
      given.set(name, {
        values: parts.flat(),
        label,
        origin: 'file',
        ...(pairs && { pairs: parts.flatMap((part, index) => part.map(() => pairs[index])) }),
      });
    }
  }
  for (const [name, { values, label }] of given) {
    if (values.some((value) => value === '')) throw usageError(`${label} needs a value`);
    if (values.length > 1 && flag(name).repeatable !== true) {
      throw usageError(`${label} may be given once only`);
    }
  }
  return { given: new GivenFlags(given, input), warnings };
}

function unknownVariable(variable: string, known: readonly string[]): string {
  // What all of them begin with makes none more like another.
  const without = (name: string): string => name.slice(ENVIRONMENT_PREFIX.length);
  const guess = nearest(without(variable), known.map(without));
  const hint = guess === undefined ? '' : `: did you mean ${ENVIRONMENT_PREFIX}${guess}?`;
  return `${variable} in the environment is no flag and was ignored${hint}`;
}

/** Several values in one text have commas between them; in a path a comma is a comma, but for the environment's. */
function separate(name: FlagName, values: readonly string[], environment = false): string[] {
  const { kind, repeatable } = flag(name);
  const hasCommas = repeatable === true && (environment || kind !== 'path');
  return values.flatMap((value) => (hasCommas ? value.split(',') : [value])).map((value) => value.trim());
}

const READ_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission denied',
  EISDIR: 'it is a directory',
};

function readNamedFile(input: SettingsInput, label: string, path: string): string {
  try {
    // An editor may have put a byte order mark before the text, of which it is no part.
    return input.readFile(path).replace(/^\uFEFF/, '');
  } catch (error) {
    if (error instanceof ProxyError) throw error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    throw fileError(`${label} names ${path}, which cannot be read: ${READ_ERRORS[code] ?? code}`, error);
  }
}
