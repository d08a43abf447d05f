/**
 * Asks the sources for a name, one after the other, until one has a certificate that no other could outrank.
 *
 *  1. In their order. For a name that was purged by hand the authority comes before its copies, which may still hold what was
 *     withdrawn: only its silence lets them be asked, and nothing that they have counts once it has spoken.
 *  2. Each has its share of `lookupTimeoutMs`: what is left of it, divided by the number of those still to be asked. A source
 *     that is late goes on by itself while the next one is asked; it counts all the same if it answers while nobody has a good certificate.
 *     The last one has the time that it takes.
 *  3. A source that answers from memory is asked even then, for the half (RSA or ECDSA) that the others lack. Where both halves
 *     are wanted, every source is, until there is a good one of each kind; what there is by then is offered meanwhile.
 *  4. Nothing is ordered where there is a good certificate, nor where a source that has certificates of its own (no copy of the
 *     authority's) could not tell: it may have one.
 *  5. For an IP address only those are asked that have certificates for addresses.
 */
import type { StartTimer } from '../base/timer.js';
import type { CertificatePair } from '../domain/certificate.js';
import type { Lookup } from '../domain/lookup.js';
import { isAddress, type ServerName } from '../domain/server-name.js';
import type { CertificateSource, LookupContext } from '../sources/source.js';
import type { Candidates, Provenance, Remark } from './candidates.js';

export interface GatherOptions {
  readonly sources: readonly CertificateSource[];
  readonly candidates: Candidates;
  readonly context: LookupContext;
  /** The authority's word goes before its copies'. */
  readonly isPurged: boolean;
  /** A good certificate is not enough: one of each kind is looked for. */
  readonly wantsBoth: boolean;
  readonly lookupTimeoutMs: number;
  /** Milliseconds from any origin. */
  readonly now: () => number;
  readonly startTimer: StartTimer;
  /** Told once, where there is a good certificate while another is still looked for. */
  onGood?(this: void): void;
  /** Told of each pair that cannot be used, or is not valid now. */
  onRemark(this: void, source: string, remark: Remark): void;
}

/** What the sources have said so far, besides the candidates: what comes late is added, as it is to these. */
export interface Gathered {
  /** Sources that could not tell, or held what may not be served, with their reasons; in their order. */
  readonly troubles: readonly string[];
  /** Some of the trouble is with this name alone. That of a whole source is said once, where it is found. */
  readonly isOwnTrouble: boolean;
  /** Sources that have no answer yet. */
  readonly waits: readonly string[];
  /**
   * What the authority said; undefined where it was not asked, or did not answer. `absent` also where it has only what is
   * outdated or must not be served.
   */
  readonly authority: 'found' | 'absent' | 'pending' | undefined;
  /** Those that were asked, in this order. */
  readonly asked: readonly AskedSource[];
}

/** A source that was asked. Times are milliseconds of `performance.now`. */
export interface AskedSource {
  readonly source: string;
  readonly startedAtMs: number;
  /** Undefined: it has not answered yet, like `endedAtMs`. */
  outcome: Lookup['kind'] | undefined;
  endedAtMs: number | undefined;
}

export async function gather(name: ServerName, options: GatherOptions): Promise<Gathered> {
  const run = new Gathering(name, options);
  await run.askAll();
  return run;
}

class Gathering implements Gathered {
  readonly waits: string[] = [];
  readonly asked: AskedSource[] = [];
  isOwnTrouble = false;
  /** A source that has certificates of its own, and could not tell. */
  #unclear: string | undefined;
  authority: Gathered['authority'];
  /** By source. */
  readonly #troubles = new Map<string, string[]>();
  readonly #name: ServerName;
  readonly #options: GatherOptions;
  readonly #startedAtMs: number;
  #hasOffered = false;

  constructor(name: ServerName, options: GatherOptions) {
    this.#name = name;
    this.#options = options;
    this.#startedAtMs = options.now();
  }

  get troubles(): string[] {
    return this.#options.sources.flatMap(({ name }) => this.#troubles.get(name) ?? []);
  }

  async askAll(): Promise<void> {
    const { candidates } = this.#options;
    const late: Promise<void>[] = [];
    const order = this.#order();
    for (const [index, source] of order.entries()) {
      if (!this.#isWanted(source)) continue;
      const isLate = candidates.isGood;
      const note = this.#noteAsked(source.name);
      const asked = source.lookup(this.#name, this.#contextNow(isLate)).then((lookup) => {
        note.endedAtMs = performance.now();
        note.outcome = lookup.kind;
        this.#take(source, lookup, isLate);
      });
      const following = order.slice(index + 1);
      const elsewhere = following.filter(({ isLocal }) => isLocal !== true).length;
      if (source.isLocal === true || following.length === 0) await asked;
      // What answers from memory takes no time, but must be asked while somebody waits.
      else if (await this.#isLate(asked, Math.max(elsewhere, 1) + 1)) late.push(asked);
    }
    // Late sources are waited for where nothing better was found.
    if (!this.#isEnough()) await Promise.all(late);
    // An error of a late source is ignored: nobody waits for it any more.
    else for (const asked of late) asked.catch(() => undefined);
  }

  #contextNow(isLate: boolean): LookupContext {
    const { context } = this.#options;
    if (isLate) return { ...context, mayOrder: false };
    const unclear = this.#unclear;
    return unclear === undefined
      ? context
      : { ...context, orderObstacle: `source ${unclear} could not tell whether it has one` };
  }

  #order(): readonly CertificateSource[] {
    const { isPurged } = this.#options;
    const sources = this.#options.sources.filter(
      ({ hasAddresses }) => hasAddresses === true || !isAddress(this.#name),
    );
    if (!isPurged || !sources.some(({ role }) => role === 'authority')) return sources;
    const copies = sources.filter(({ role }) => role === 'copy');
    return [...sources.filter(({ role }) => role !== 'copy'), ...copies];
  }

  #isWanted({ isLocal, role }: CertificateSource): boolean {
    if (role === 'copy' && this.#isOverruled) return false;
    return isLocal === true || !this.#isEnough();
  }

  /** The authority has spoken of a name that was purged: what copies have does not count. */
  get #isOverruled(): boolean {
    return this.#options.isPurged && this.authority !== undefined;
  }

  /** The authority may speak late, when its copies have been asked in its silence. */
  #dropCopies(): void {
    const { candidates, isPurged, sources } = this.#options;
    if (isPurged) for (const { name, role } of sources) if (role === 'copy') candidates.drop(name);
  }

  #isEnough(): boolean {
    const { candidates, wantsBoth } = this.#options;
    return candidates.isGood && !(wantsBoth && candidates.missingKind !== undefined);
  }

  /** Waits for a source for its share of the time. @param sharers those among whom what is left is divided. */
  async #isLate(asked: Promise<void>, sharers: number): Promise<boolean> {
    const { lookupTimeoutMs, now, startTimer } = this.#options;
    const leftMs = Math.max(0, lookupTimeoutMs - (now() - this.#startedAtMs));
    let cancel = (): void => undefined;
    const overdue = new Promise<boolean>((resolve) => {
      cancel = startTimer(() => resolve(true), leftMs / sharers);
    });
    try {
      return await Promise.race([asked.then(() => false), overdue]);
    } finally {
      cancel();
    }
  }

  #noteAsked(source: string): AskedSource {
    const note = { source, startedAtMs: performance.now(), outcome: undefined, endedAtMs: undefined };
    this.asked.push(note);
    return note;
  }

  #noteTrouble(source: string, reason: string): void {
    const troubles = this.#troubles.get(source) ?? [];
    troubles.push(`${source}: ${reason}`);
    this.#troubles.set(source, troubles);
  }

  #take({ name: source, role }: CertificateSource, lookup: Lookup, isLate: boolean): void {
    if (role === 'copy' && this.#isOverruled) return;
    const said = this.#said(source, lookup, { isLate, isCopy: role === 'copy' });
    this.#offer();
    if (role === undefined && (said === undefined || said === 'pending')) this.#unclear ??= source;
    if (role !== 'authority' || said === undefined) return;
    this.authority = said;
    this.#dropCopies();
  }

  #offer(): void {
    const { candidates, onGood, isPurged } = this.#options;
    // What a copy has of a name that was purged may be overruled yet.
    if (this.#hasOffered || isPurged || !candidates.isGood || this.#isEnough()) return;
    this.#hasOffered = true;
    onGood?.();
  }

  /** Notes what a source has said. @returns what it comes to; undefined where it could not tell. */
  #said(source: string, lookup: Lookup, from: Provenance): Gathered['authority'] {
    switch (lookup.kind) {
      case 'pending':
        this.waits.push(`${source}: ${lookup.reason}`);
        return 'pending';
      case 'unavailable':
        this.#noteTrouble(source, lookup.reason);
        this.isOwnTrouble ||= lookup.scope === 'name';
        return undefined;
      case 'absent':
        return 'absent';
      case 'found': {
        const isAsItShouldBe = lookup.candidates.flat().map((pair) => this.#addPair(source, pair, from));
        return isAsItShouldBe.includes(true) ? 'found' : 'absent';
      }
    }
  }

  /** @returns whether it is as it should be. */
  #addPair(source: string, pair: CertificatePair, from: Provenance): boolean {
    const { candidates, onRemark } = this.#options;
    const remark = candidates.add(pair, source, from);
    if (remark === undefined) return true;
    if (remark.kind === 'unusable') this.#noteTrouble(source, remark.reason);
    onRemark(source, remark);
    return false;
  }
}
