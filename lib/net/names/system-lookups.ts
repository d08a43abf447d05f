/**
 * Asks the C library (`getaddrinfo`), which knows names of mDNS, systemd, NIS and the like.
 *
 * Each look-up takes a thread of libuv's pool until it has an answer. The pool has four, and files and cryptography need them as well:
 * so there are few look-ups at once, and the others wait in turn.
 */
import { lookup } from 'node:dns/promises';
import { codeOf } from '../../domain/errors.js';
import type { Found } from './found.js';

/** Rejects with an error that has a `code`. */
export type AskSystem = (name: string) => Promise<readonly { readonly address: string }[]>;

const MAX_AT_ONCE = 2;
/** The C library does not say how long it holds. */
const TTL_MS = 5_000;

export class SystemLookups {
  readonly #ask: AskSystem;
  readonly #waiting: (() => void)[] = [];
  #underWay = 0;

  constructor(ask: AskSystem = (name) => lookup(name, { all: true })) {
    this.#ask = ask;
  }

  /** Never rejects. */
  async find(name: string): Promise<Found> {
    while (this.#underWay >= MAX_AT_ONCE) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#underWay += 1;
    try {
      const found = await this.#ask(name);
      return { kind: 'found', addresses: found.map(({ address }) => address), ttlMs: TTL_MS };
    } catch (thrown) {
      const code = codeOf(thrown) ?? '';
      if (code === 'ENOTFOUND') return { kind: 'absent' };
      return { kind: 'failed', reason: `the system cannot look it up (${code})`, code };
    } finally {
      this.#underWay -= 1;
      this.#waiting.shift()?.();
    }
  }
}
