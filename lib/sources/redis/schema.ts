/**
 * What is asked of a Redis that the manager primes, and what the answers mean. No I/O.
 *
 * Prime style 1: the hash `d1:NAME` has the ids of a certificate (`c`), a private key (`p`) and an intermediate (`i`); the
 * strings `c:ID`, `p:ID` and `i:ID` hold their PEM. Prime style 2: the hash `d2:NAME` has the whole chain (`f`) and the private
 * key (`p`). A name without a hash is absent. Anything that is there but cannot be put together (priming writes the parts
 * at different times, and the parts may expire on their own) is half an entry: unavailable, and no fault of Redis itself. So is a
 * value that is too long to be one of the manager's.
 */
import type { CertificatePair } from '../../domain/certificate.js';
import type { Lookup } from '../../domain/lookup.js';
import type { ServerName } from '../../domain/server-name.js';

/** 1: parts under ids of their own. 2: everything in one hash. */
export type PrimeStyle = 1 | 2;

/** A value as Redis answers it; null where there is none. */
export type RedisValue = string | null;

/** As of a file, and of an answer of the manager: no chain is that long. PEM has an octet for each character. */
const MAX_VALUE_LENGTH = 1_048_576;

/** The first question for a name: these fields of this hash. */
export interface EntryQuestion {
  readonly key: string;
  readonly fields: readonly string[];
}

/** Where the parts of a style 1 entry are: the second question asks for all of `keys` at once. */
export interface Pointers {
  readonly kind: 'pointers';
  /** The hash that points, for messages. */
  readonly entry: string;
  /** Certificate, private key, and the intermediate if the entry has one. */
  readonly keys: readonly string[];
}

/** What to ask first for a name. The answer goes to `readPointers` (style 1) or `readWhole` (style 2). */
export function entryQuestion(style: PrimeStyle, name: ServerName): EntryQuestion {
  return style === 1
    ? { key: `d1:${name}`, fields: ['c', 'p', 'i'] }
    : { key: `d2:${name}`, fields: ['f', 'p'] };
}

/**
 * Style 1, first answer.
 *
 * @param entry the key that was asked.
 * @param values its fields `c`, `p` and `i`.
 * @returns what to ask next, or the result when that is already clear.
 */
export function readPointers(entry: string, values: readonly RedisValue[]): Pointers | Lookup {
  if (isNoEntry(values)) return { kind: 'absent' };
  if (values.some(isTooLong)) return tooLong(entry);
  const [certificate, key, intermediate] = values.map(present);
  if (certificate === undefined || key === undefined) {
    return halfAnEntry(`${entry} names no ${certificate === undefined ? 'certificate' : 'private key'}`);
  }
  const keys = [`c:${certificate}`, `p:${key}`];
  if (intermediate !== undefined) keys.push(`i:${intermediate}`);
  return { kind: 'pointers', entry, keys };
}

/**
 * Style 1, second answer.
 *
 * @param pointers what was asked for.
 * @param values the strings under `pointers.keys`, in that order.
 */
export function readParts(pointers: Pointers, values: readonly RedisValue[]): Lookup {
  const long = pointers.keys.find((_, index) => isTooLong(values[index]));
  if (long !== undefined) return tooLong(long);
  const parts = pointers.keys.map((_, index) => present(values[index]));
  const [certificate, key, intermediate] = parts;
  const missing = pointers.keys.filter((_, index) => parts[index] === undefined);
  if (certificate === undefined || key === undefined || missing.length > 0) {
    return halfAnEntry(`${pointers.entry} points at ${missing.join(' and ')}, which Redis does not hold`);
  }
  return found({
    chainPem: asBlock(certificate) + (intermediate === undefined ? '' : asBlock(intermediate)),
    keyPem: asBlock(key),
  });
}

/**
 * Style 2.
 *
 * @param entry the key that was asked.
 * @param values its fields `f` and `p`.
 */
export function readWhole(entry: string, values: readonly RedisValue[]): Lookup {
  if (isNoEntry(values)) return { kind: 'absent' };
  if (values.some(isTooLong)) return tooLong(entry);
  const [chain, key] = values.map(present);
  if (chain === undefined || key === undefined) {
    return halfAnEntry(`${entry} holds no ${chain === undefined ? 'certificate' : 'private key'}`);
  }
  return found({ chainPem: asBlock(chain), keyPem: asBlock(key) });
}

/** Whether Redis answered with this error, as against a connection that failed. Of ioredis's errors these are the only ones. */
export function isErrorReply(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError';
}

/**
 * An error that Redis answered with.
 *
 * @param message the reply, for example `WRONGTYPE Operation against a key …`.
 * @param key the key that was asked for, if one was.
 */
export function readErrorReply(message: string, key?: string): Extract<Lookup, { kind: 'unavailable' }> {
  const code = /^[A-Z]+/.exec(message)?.[0];
  if (code === 'WRONGTYPE') return halfAnEntry(`${key ?? 'a key'} holds a value of another type`);
  const reason = ((): string => {
    if (code === 'NOAUTH') return 'Redis asks for a password, and the Redis URL has none';
    if (code === 'WRONGPASS' || /invalid password/i.test(message)) {
      return 'Redis refuses the password (or user name) of the Redis URL';
    }
    return `Redis answers: ${message.slice(0, MAX_QUOTE)}`;
  })();
  return { kind: 'unavailable', scope: 'source', reason };
}

/** Error replies may quote what was sent, at any length. */
const MAX_QUOTE = 200;

/** Redis keeps no empty hash, and answers for one that does not exist as for one that has none of the fields. */
function isNoEntry(values: readonly RedisValue[]): boolean {
  return values.every((value) => value === null);
}

/** Asked of each value before it is looked at: what is long takes long to be examined, and everybody waits for that. */
function isTooLong(value: RedisValue | undefined): boolean {
  return (value?.length ?? 0) > MAX_VALUE_LENGTH;
}

function tooLong(key: string): Extract<Lookup, { kind: 'unavailable' }> {
  return halfAnEntry(`${key} holds a value that is longer than 1 MiB`);
}

/** The manager is written in Python: a value that it does not have may be stored as the text `None`. */
function present(value: RedisValue | undefined): string | undefined {
  const text = value?.trim();
  return text === undefined || text === '' || text === 'None' ? undefined : text;
}

/** PEM with exactly one newline at its end, so that blocks can follow one another. */
function asBlock(pem: string): string {
  return `${pem.trimEnd()}\n`;
}

function found(pair: CertificatePair): Lookup {
  return { kind: 'found', candidates: [[pair]] };
}

function halfAnEntry(reason: string): Extract<Lookup, { kind: 'unavailable' }> {
  return { kind: 'unavailable', scope: 'name', reason };
}
