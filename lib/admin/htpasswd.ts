/**
 * An htpasswd file as an authenticator. The kinds of hash are in `password-hash.ts`.
 *
 * A password that was right is remembered (as a salted digest, in memory), so that the cost of a bcrypt hash is
 * paid once and not with each request. Reading the file again makes a new authenticator, which remembers nothing.
 */
import { createHash, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { ProxyError, usageError } from '../domain/errors.js';
import { readHash, type PasswordCheck } from './password-hash.js';

/** Right passwords remembered. */
const MAX_REMEMBERED = 256;
/** Checks at work at once, and waiting for their turn. A hash can cost 100 ms of this process's time. */
const MAX_RUNNING = 2;
const MAX_WAITING = 32;
/** Longer ones are wrong unseen: the cost of some hashes grows with the password. */
const MAX_PASSWORD_BYTES = 1024;

export class Htpasswd {
  readonly #checks: ReadonlyMap<string, PasswordCheck>;
  readonly #dummy: PasswordCheck | undefined;
  readonly #salt = randomBytes(32);
  readonly #remembered = new LRUCache<string, true>({ max: MAX_REMEMBERED });
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /** @param checks the check of each user's password, in the order of the file. */
  constructor(checks: ReadonlyMap<string, PasswordCheck>) {
    this.#checks = checks;
    this.#dummy = checks.values().next().value;
  }

  /** How many users there are. */
  get size(): number {
    return this.#checks.size;
  }

  /**
   * Whether the password is the user's. An unknown user costs as much as the first one of the file.
   *
   * @throws {ProxyError} `ERR_INTERNAL` when too many checks are waiting already. Remembered passwords never wait.
   */
  async verify(user: string, password: string): Promise<boolean> {
    if (Buffer.byteLength(password) > MAX_PASSWORD_BYTES) return false;
    // A user name has no colon, so two pairs never make the same text.
    const key = createHash('sha256').update(this.#salt).update(`${user}:${password}`).digest('base64');
    if (this.#remembered.get(key) === true) return true;
    const check = this.#checks.get(user);
    const work = check ?? this.#dummy;
    if (work === undefined) return false;
    await this.#enter();
    try {
      const isRight = await work(password);
      if (check === undefined || !isRight) return false;
      this.#remembered.set(key, true);
      return true;
    } finally {
      this.#leave();
    }
  }

  async #enter(): Promise<void> {
    if (this.#running < MAX_RUNNING) {
      this.#running++;
      return;
    }
    if (this.#waiting.length >= MAX_WAITING) {
      throw new ProxyError(
        'ERR_INTERNAL',
        'too many passwords are being checked; try again in a few seconds',
      );
    }
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Hands the place to the one who waits longest. */
  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#running--;
    else next();
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
  const checks = new Map<string, PasswordCheck>();
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
    if (!checks.has(user)) checks.set(user, reading.check);
  }
  return new Htpasswd(checks);
}
