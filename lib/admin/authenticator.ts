/**
 * Who may use the admin routes: Basic authentication against a user file, in this order:
 *
 *  1. No credentials, or none that can be read: wrong, and no failure. A browser asks like this at first.
 *  2. A password that was right before is remembered, as a salted digest in memory, and right at once: whatever others do from
 *     the same address, and however many checks wait. It says nothing about them either: it ends no row of failures.
 *  3. An address that has failed too often is held (`failed-logins.ts`). Nothing is computed for it.
 *  4. Equal credentials that are being checked are not checked twice.
 *  5. One check at a time for an address; the others are held a second.
 *  6. A fast hash is computed here, a slow one in a thread, one at a time. Addresses without failures go first.
 *
 * The first time, a right password from an address that guessers share is held like theirs: only computing its hash would tell it
 * from a guess. A front that is shared by many should send a PROXY header.
 *
 * Each worker process has its own memory, of right passwords and of failures.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { LRUCache } from 'lru-cache';
import { growingLru } from '../base/growing-lru.js';
import type { Logger } from '../log/logger.js';
import type { Credentials } from './auth.js';
import { CheckQueue } from './check-queue.js';
import { clientGroup } from '../net/ip-bytes.js';
import type { FailedLogins } from './failed-logins.js';
import type { HashingThread } from './hashing-thread.js';
import { parseHtpasswd, type Htpasswd } from './htpasswd.js';
import { readHash } from './password-hash.js';

export type Verdict =
  | { readonly kind: 'right' | 'wrong' }
  /** `held`: the client is to wait. `busy`: there are too many clients. Nothing was checked. */
  | { readonly kind: 'held' | 'busy'; readonly retryAfterMs: number };

export interface AuthenticatorParts {
  readonly log: Logger;
  readonly failed: FailedLogins;
  readonly thread: Pick<HashingThread, 'check'>;
}

/** The most right passwords that are remembered: as many users. Half a megabyte when full. */
const MAX_REMEMBERED = 4_096;
/** Longer passwords are wrong without a check: the cost of some hashes grows with the password. */
const MAX_PASSWORD_BYTES = 1_024;
const BUSY_RETRY_MS = 1_000;

/** What belongs to one user file. A check that was begun with a file is finished with it, whatever was loaded since. */
interface UserFile {
  readonly text: string;
  readonly users: Htpasswd;
  readonly remembered: LRUCache<string, true>;
  readonly checks: Map<string, Check>;
}

interface Check {
  readonly verdict: Promise<Verdict>;
  /** The clients that wait for it: a wrong password counts as one failure of each. */
  readonly clients: Set<string>;
}

const RIGHT: Verdict = { kind: 'right' };
const WRONG: Verdict = { kind: 'wrong' };

export class Authenticator {
  readonly #parts: AuthenticatorParts;
  readonly #salt = randomBytes(32);
  readonly #queue = new CheckQueue();
  /** Those for whom a check is under way. */
  readonly #busyClients = new Set<string>();
  #file: UserFile;

  /** @param text of the user file. Throws what `parseHtpasswd` does. */
  constructor(parts: AuthenticatorParts, text: string) {
    this.#parts = parts;
    this.#file = openFile(text);
  }

  /** Takes another user file, and forgets the passwords that were right; the same one changes nothing. */
  configure(text: string): void {
    if (text !== this.#file.text) this.#file = openFile(text);
  }

  /**
   * Judges credentials.
   *
   * @param address the client's; empty on a unix socket.
   * @throws ProxyError ERR_INTERNAL: the thread that checks has died over it.
   */
  async judge(credentials: Credentials | undefined, address: string): Promise<Verdict> {
    if (credentials === undefined) return WRONG;
    const { user, password } = credentials;
    const { failed } = this.#parts;
    const file = this.#file;
    // A user name has no colon, so two pairs never make the same text.
    const key = createHash('sha256').update(this.#salt).update(`${user}:${password}`).digest('base64');
    if (file.remembered.get(key) === true) return RIGHT;
    const client = clientGroup(address);
    const heldMs = failed.heldMs(client);
    if (heldMs > 0) return { kind: 'held', retryAfterMs: heldMs };
    const check = file.checks.get(key);
    if (check !== undefined) {
      check.clients.add(client);
      return check.verdict;
    }
    if (this.#busyClients.has(client)) return { kind: 'held', retryAfterMs: BUSY_RETRY_MS };
    // The empty address stands for many clients: it is not held, see `failed-logins.ts`.
    if (client !== '') this.#busyClients.add(client);
    const clients = new Set([client]);
    const verdict = this.#check(file, credentials, clients)
      .then((result) => {
        if (result.kind === 'right') file.remembered.set(key, true);
        return result;
      })
      .finally(() => {
        file.checks.delete(key);
        this.#busyClients.delete(client);
      });
    file.checks.set(key, { verdict, clients });
    return verdict;
  }

  async #check(file: UserFile, { user, password }: Credentials, clients: Set<string>): Promise<Verdict> {
    const { log, failed } = this.#parts;
    const entry = file.users.entryOf(user);
    const isChecked = entry !== undefined && Buffer.byteLength(password) <= MAX_PASSWORD_BYTES;
    const isRight = isChecked ? await this.#compute(entry.hash, password, clients) : false;
    if (isRight === undefined) return { kind: 'busy', retryAfterMs: BUSY_RETRY_MS };
    if (!isRight || entry?.isKnown !== true) {
      for (const client of clients) failed.fail(client);
      return WRONG;
    }
    for (const client of clients) {
      const failures = failed.succeed(client);
      if (failures > 0) log.info('a right password after wrong ones', { client, user, failures });
    }
    return RIGHT;
  }

  /** @returns undefined when too many wait. */
  async #compute(hash: string, password: string, clients: ReadonlySet<string>): Promise<boolean | undefined> {
    const reading = readHash(hash);
    if ('problem' in reading) return false;
    if (reading.check.isFast) return reading.check.now(password);
    const isUrgent = [...clients].every(
      (client) => client !== '' && this.#parts.failed.failures(client) === 0,
    );
    const leave = await this.#queue.enter(isUrgent);
    if (leave === undefined) return undefined;
    try {
      return await this.#parts.thread.check({ hash, password, isUrgent });
    } finally {
      leave();
    }
  }
}

function openFile(text: string): UserFile {
  return {
    text,
    users: parseHtpasswd(text),
    remembered: growingLru(MAX_REMEMBERED),
    checks: new Map(),
  };
}
