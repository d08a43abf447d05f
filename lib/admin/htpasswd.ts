/**
 * An htpasswd file: the hash of each user. The kinds of hash are in `password-hash.ts`.
 */
import { createHash, createHmac } from 'node:crypto';
import { usageError, type ProxyError } from '../domain/errors.js';
import { readHash } from './password-hash.js';

export interface UserEntry {
  readonly hash: string;
  /** False: the user is unknown, and the hash is another user's. */
  readonly isKnown: boolean;
}

export class Htpasswd {
  readonly #hashes: ReadonlyMap<string, string>;
  readonly #standIns: readonly string[];
  readonly #secret: Buffer;

  /**
   * @param hashes of each user, in the order of the file.
   * @param secret bytes that cannot be guessed without knowing the file.
   */
  constructor(hashes: ReadonlyMap<string, string>, secret: Buffer) {
    this.#hashes = hashes;
    this.#standIns = [...hashes.values()];
    this.#secret = secret;
  }

  /** How many users there are. */
  get size(): number {
    return this.#hashes.size;
  }

  /**
   * The hash to check a user's password against. For an unknown user it is one of the file, always the same one, in every
   * worker: so the time of a check tells nothing, whatever kinds of hash the file has.
   *
   * @returns undefined when the file is empty.
   */
  entryOf(user: string): UserEntry | undefined {
    const hash = this.#hashes.get(user);
    if (hash !== undefined) return { hash, isKnown: true };
    const index = createHmac('sha256', this.#secret).update(user).digest().readUInt32BE(0);
    const standIn = this.#standIns[index % this.#standIns.length];
    return standIn === undefined ? undefined : { hash: standIn, isKnown: false };
  }
}

/**
 * Reads the text of an htpasswd file: `user:hash` a line, whatever follows a second colon left aside (nginx's
 * comment field), blank lines and lines that begin with `#` skipped. Of two lines for one user the first counts, as
 * in nginx and Apache.
 *
 * @throws {ProxyError} `ERR_USAGE`, naming the line and never the hash. The caller knows the name of the file.
 */
export function parseHtpasswd(text: string): Htpasswd {
  const hashes = new Map<string, string>();
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
  for (const [index, raw] of lines.entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const fail = (problem: string): ProxyError => usageError(`line ${index + 1}: ${problem}`);
    const [user = '', hash] = line.split(':', 2);
    if (hash === undefined) throw fail('no colon between user and password hash');
    if (user === '') throw fail('no user before the colon');
    const reading = readHash(hash);
    if ('problem' in reading) throw fail(reading.problem);
    if (!hashes.has(user)) hashes.set(user, hash);
  }
  return new Htpasswd(hashes, createHash('sha256').update(text).digest());
}
