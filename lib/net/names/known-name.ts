/**
 * What a worker knows of one name, and for how long: at most one look-up of it at a time.
 *
 * | the look-up says       | known from then on                                     | next look-up                |
 * |------------------------|--------------------------------------------------------|-----------------------------|
 * | found                  | its addresses                                          | after its TTL, 5 to 60 s    |
 * | found, a family silent | the same, with the last good addresses of that family  | after its TTL, 5 to 60 s    |
 * | absent                 | that it has none: connections to the old ones must end | after a second              |
 * | failed                 | the last good addresses                                | after 5 s; 1 s without them |
 * | nothing yet            | the last good addresses, after a second of waiting     |                             |
 *
 * While somebody follows the name, each look-up is made when it is due; else when somebody asks.
 */
import { isIPv6 } from 'node:net';
import type { StartTimer } from '../../base/timer.js';
import type { Family, Found } from './found.js';
import type { LookUp } from './look-up.js';

export interface KnownNameParts {
  readonly lookUp: LookUp;
  /** Milliseconds from any origin; runs evenly. */
  now(this: void): number;
  readonly startTimer: StartTimer;
  /** Told when look-ups begin to fail, with the reason, while the last good addresses serve; and without one when they work again. */
  onHealth(this: void, name: string, failure: string | undefined): void;
}

const MIN_TTL_MS = 5_000;
const MAX_TTL_MS = 60_000;
/** Between look-ups that fail. */
const RETRY_MS = 5_000;
/** The same where there is no address to use meanwhile. */
const RETRY_WITHOUT_ADDRESS_MS = 1_000;
/** From the beginning of a look-up until the last good addresses are used without it. */
const PATIENCE_MS = 1_000;
/** From the beginning of a look-up until a name of which nothing is known is given up. Less than `--backend-connect-timeout` has. */
const PATIENCE_WITHOUT_ADDRESS_MS = 4_000;

export type OnAddresses = (error: Error | null, addresses: readonly string[]) => void;

interface LookUpUnderWay {
  readonly startMs: number;
  readonly waiting: Set<() => void>;
}

export class KnownName {
  readonly #name: string;
  readonly #parts: KnownNameParts;
  #addresses: readonly string[] = [];
  /** Why there are none. */
  #error = new Error('not looked up');
  #freshUntilMs = -Infinity;
  #isFailing = false;
  #underWay: LookUpUnderWay | undefined;
  readonly #followers = new Set<() => void>();
  #stopTimer: (() => void) | undefined;

  constructor(name: string, parts: KnownNameParts) {
    this.#name = name;
    this.#parts = parts;
  }

  has(address: string): boolean {
    return this.#addresses.includes(address);
  }

  /**
   * Calls back with the addresses, IPv4 before IPv6: at once where they are known and fresh. With an error after four seconds at the
   * latest.
   */
  ask(onAddresses: OnAddresses): void {
    const { now, startTimer } = this.#parts;
    if (now() < this.#freshUntilMs) {
      this.#answer(onAddresses);
      return;
    }
    const { startMs, waiting } = this.#underWay ?? this.#begin();
    const hasAddress = this.#addresses.length > 0;
    const patienceMs = hasAddress ? PATIENCE_MS : PATIENCE_WITHOUT_ADDRESS_MS;
    const leftMs = startMs + patienceMs - now();
    if (leftMs <= 0 || (hasAddress && this.#isFailing)) {
      this.#answer(onAddresses);
      return;
    }
    const settle = (): void => {
      stopTimer();
      waiting.delete(settle);
      this.#answer(onAddresses);
    };
    const stopTimer = startTimer(settle, leftMs);
    waiting.add(settle);
  }

  /**
   * Looks the name up whenever that is due, until the returned function is called.
   *
   * @param onChange after a look-up that has found other addresses than before.
   */
  follow(onChange: () => void): () => void {
    // A function of its own: the same one may be given twice.
    const follower = (): void => onChange();
    this.#followers.add(follower);
    this.#schedule();
    return () => {
      this.#followers.delete(follower);
      if (this.#followers.size > 0) return;
      this.#stopTimer?.();
      this.#stopTimer = undefined;
    };
  }

  #answer(onAddresses: OnAddresses): void {
    if (this.#addresses.length > 0) onAddresses(null, this.#addresses);
    else onAddresses(this.#error, []);
  }

  #begin(): LookUpUnderWay {
    const underWay = { startMs: this.#parts.now(), waiting: new Set<() => void>() };
    this.#underWay = underWay;
    if (this.#addresses.length === 0) this.#error = this.#errorOf('EAI_AGAIN', 'no answer in time');
    void this.#run(underWay);
    return underWay;
  }

  async #run(underWay: LookUpUnderWay): Promise<void> {
    this.#end(underWay, await this.#parts.lookUp(this.#name));
  }

  #end({ waiting }: LookUpUnderWay, found: Found): void {
    this.#underWay = undefined;
    const before = this.#addresses;
    this.#take(found);
    for (const settle of [...waiting]) settle();
    this.#schedule();
    if (isSameSet(before, this.#addresses)) return;
    for (const onChange of [...this.#followers]) onChange();
  }

  #take(found: Found): void {
    const wasFailing = this.#isFailing;
    let keptMs = RETRY_WITHOUT_ADDRESS_MS;
    this.#isFailing = false;
    if (found.kind === 'found') {
      this.#addresses = this.#inOrder(found.addresses, found.missing);
      keptMs = Math.min(MAX_TTL_MS, Math.max(MIN_TTL_MS, found.ttlMs));
    } else if (found.kind === 'absent') {
      this.#addresses = [];
      this.#error = this.#errorOf('ENOTFOUND', 'there is no such name, or it has no address');
    } else if (this.#addresses.length > 0) {
      this.#isFailing = true;
      keptMs = RETRY_MS;
      if (!wasFailing) this.#parts.onHealth(this.#name, found.reason);
    } else {
      this.#error = this.#errorOf('EAI_AGAIN', found.reason);
    }
    this.#freshUntilMs = this.#parts.now() + keptMs;
    if (wasFailing && !this.#isFailing) this.#parts.onHealth(this.#name, undefined);
  }

  #inOrder(addresses: readonly string[], missing: Family | undefined): readonly string[] {
    const kept = this.#addresses.filter((address) => familyOf(address) === missing);
    const all = [...new Set([...addresses, ...kept])];
    return [...all.filter((address) => familyOf(address) === 4), ...all.filter(isIPv6)];
  }

  #schedule(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    if (this.#followers.size === 0 || this.#underWay !== undefined) return;
    const dueMs = Math.max(0, this.#freshUntilMs - this.#parts.now());
    this.#stopTimer = this.#parts.startTimer(() => {
      this.#stopTimer = undefined;
      if (this.#underWay === undefined) this.#begin();
    }, dueMs);
  }

  #errorOf(code: string, reason: string): Error {
    return Object.assign(new Error(`the name ${this.#name} cannot be looked up: ${reason}`), { code });
  }
}

function familyOf(address: string): Family {
  return isIPv6(address) ? 6 : 4;
}

function isSameSet(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((address) => others.includes(address));
}
