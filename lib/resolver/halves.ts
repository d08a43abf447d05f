/**
 * Names of which both halves of a pair (RSA and ECDSA) are wanted: a client came that cannot use the key of the half found first.
 *
 * A look-up ends at the first good certificate, RSA or ECDSA: if every source were asked for every name, the manager would slow down
 * names that Redis has. Nearly all clients take either. For one that does not, the worker asks for the kind that is
 * missing (`wants`). From then on the look-ups of that name go through all sources, and to the wildcard above it where
 * wildcards are on, until there is a good one of each kind:
 *
 *  - at once, in a flight that orders nothing and changes nothing but by what it finds; after that with each refresh;
 *  - what is found is kept as one entry, fresh as long as any;
 *  - that there is no other half is remembered for `certCacheDurationMs`; that a source could not tell, for `errorCacheDurationMs`;
 *  - a half that was found before, and is valid, stays where a source could not tell, and for `absentGraceMs` where all of them
 *    say that it is gone.
 *
 * A half that is the wildcard's goes with it when the wildcard is expired by hand.
 */
import { growingLru } from '../base/growing-lru.js';
import { withThoseBelow, type ServerName } from '../domain/server-name.js';

/** Names remembered; of one that is forgotten only one half is looked up, until somebody wants the other again. */
const MAX_NAMES = 100_000;

interface Wanted {
  /** Until then nobody looks for the half that is missing. */
  restUntilMs: number;
  /** Since when every source has said that there is none. */
  absentSinceMs: number | undefined;
  /** The fingerprint of the half that is the wildcard's. */
  lent: string | undefined;
}

export class Halves {
  readonly #wanted = growingLru<ServerName, Wanted>(MAX_NAMES);
  readonly #now: () => number;

  /** @param now milliseconds from any origin: a clock for durations. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** From now on both halves of the name are wanted. */
  want(name: ServerName): void {
    if (this.#wanted.has(name)) return;
    this.#wanted.set(name, { restUntilMs: -Infinity, absentSinceMs: undefined, lent: undefined });
  }

  isWanted(name: ServerName): boolean {
    return this.#wanted.has(name);
  }

  /** How much longer the half that is missing is not looked for, milliseconds; 0: it is to be looked for. */
  restMs(name: ServerName): number {
    const restUntilMs = this.#wanted.get(name)?.restUntilMs ?? -Infinity;
    return Math.max(0, restUntilMs - this.#now());
  }

  /** Whether a half is the wildcard's. */
  isLent(name: ServerName, fingerprint: string): boolean {
    return this.#wanted.peek(name)?.lent === fingerprint;
  }

  /** For how long every source has said that there is no other half, this time included, milliseconds. */
  absentForMs(name: ServerName): number {
    const wanted = this.#wanted.get(name);
    if (wanted === undefined) return Infinity;
    wanted.absentSinceMs ??= this.#now();
    return this.#now() - wanted.absentSinceMs;
  }

  /**
   * Notes what a look-up for both halves has come to.
   *
   * @param found both were there.
   * @param restMs how long to leave it at that.
   * @param lent the fingerprint of the half that is the wildcard's; left out: that is as it was.
   */
  note(name: ServerName, options: { found: boolean; restMs: number; lent?: string | undefined }): void {
    const wanted = this.#wanted.get(name);
    if (wanted === undefined) return;
    wanted.restUntilMs = this.#now() + options.restMs;
    if ('lent' in options) wanted.lent = options.lent;
    if (options.found) wanted.absentSinceMs = undefined;
  }

  /** Forgets that both halves of a name, or of any, were wanted. */
  forget(name?: ServerName): void {
    if (name === undefined) this.#wanted.clear();
    else this.#wanted.delete(name);
  }

  /** The sources may have changed: what they did not have before is looked for again. */
  lookAgain(names: Iterable<ServerName> = this.#wanted.keys()): void {
    for (const name of names) {
      const wanted = this.#wanted.peek(name);
      if (wanted !== undefined) wanted.restUntilMs = -Infinity;
    }
  }

  /** The halves that names below a wildcard have from it, by their fingerprints. */
  lentBelow(wildcard: ServerName): (readonly [name: ServerName, fingerprint: string])[] {
    const names = [...withThoseBelow([wildcard], this.#wanted.keys())];
    return names.flatMap((name) => {
      const lent = this.#wanted.peek(name)?.lent;
      return lent === undefined ? [] : [[name, lent] as const];
    });
  }
}
