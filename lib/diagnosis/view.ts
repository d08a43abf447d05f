/**
 * The facts as the causes look at them: what is served, what could be, and who says otherwise. PURE.
 */
import type { CandidateFacts, NameFacts, SourceFacts, WorkerFacts } from '../domain/inspection.js';
import type { LeafFacts } from '../domain/leaf-facts.js';
import type { ClientFacts, WhyFacts } from './report.js';

/** A certificate that a source has. */
export interface Held {
  readonly source: SourceFacts;
  readonly candidate: CandidateFacts;
}

export class View {
  readonly facts: WhyFacts;
  /** As it is called in sentences. */
  readonly name: string;
  /** The name that a look-up ends at: the wildcard above, where the name itself has nothing. */
  readonly subject: string;
  /** Of the name, and of the wildcard where a look-up asks for it. */
  readonly sources: readonly SourceFacts[];
  readonly workers: readonly WorkerFacts[];
  /** Workers that have not said what they know. */
  readonly silent: readonly { readonly pid: number; readonly failure: string }[];
  /** What the primary keeps of `subject`. */
  readonly primary: NameFacts['primary'];
  readonly held: readonly Held[];

  constructor(facts: WhyFacts) {
    this.facts = facts;
    this.name = facts.name ?? facts.asked;
    const own = facts.facts;
    const wildcard = isWildcardAsked(facts) ? facts.wildcard : undefined;
    this.subject = wildcard?.name ?? this.name;
    this.sources = [...(own?.sources ?? []), ...(wildcard?.sources ?? [])];
    this.primary = (wildcard ?? own)?.primary ?? { isPurged: false };
    this.workers = facts.workers.filter((worker): worker is WorkerFacts => !('failure' in worker));
    this.silent = facts.workers.filter((worker) => 'failure' in worker);
    this.held = this.sources.flatMap((source) =>
      source.candidates.map((candidate) => ({ source, candidate })),
    );
  }

  client(kind: ClientFacts['client']): ClientFacts | undefined {
    return this.facts.clients.find(({ client }) => client === kind);
  }

  /** Whether a handshake failed as the settings say that it should, in place of a default certificate. */
  isRefusal(failure: string | undefined): boolean {
    return this.facts.settings.rejectsUnknownNames && /unrecognized.name/i.test(failure ?? '');
  }

  /** What a client is served: by a handshake, or, where none was made, by what is cached and there. */
  get leaf(): LeafFacts | undefined {
    const modern = this.client('modern');
    if (modern !== undefined) return modern.leaf;
    const inSources = this.best ?? this.bestOutdated;
    return this.primary.cached?.leaves[0] ?? inSources?.candidate.leaf;
  }

  /** The best that a look-up would find now, where it is valid. */
  get best(): Held | undefined {
    const valid = this.#counting.filter(({ candidate }) => isValid(candidate));
    return valid.find(({ candidate }) => candidate.verdict === 'best') ?? valid[0];
  }

  /** The same, though it is outdated. */
  get bestOutdated(): Held | undefined {
    return this.#counting.find(
      ({ candidate }) => candidate.verdict === 'best' && candidate.reason !== undefined,
    );
  }

  /** What a copy has of a name that was expired by hand, and that the authority has no more: it does not count. */
  get withdrawn(): Held | undefined {
    return this.#isOverruled ? this.held.find(({ source }) => source.role === 'copy') : undefined;
  }

  /** Whether something cached is older than what a look-up would find now. */
  isOld(fingerprints: readonly string[] | undefined): boolean {
    const leaf = this.best?.candidate.leaf;
    if (fingerprints === undefined || leaf === undefined) return false;
    const best = this.held.filter(({ candidate }) => candidate.verdict === 'best');
    const isBest = ({ candidate }: Held): boolean => fingerprints.includes(candidate.leaf?.fingerprint ?? '');
    if (fingerprints.includes(leaf.fingerprint) || best.some(isBest)) return false;
    const leaves = this.held.flatMap(({ candidate }) => candidate.leaf ?? []);
    const known = leaves.find(({ fingerprint }) => fingerprints.includes(fingerprint));
    // One that the authority has renewed is newer than what a copy still has.
    return known === undefined || known.notBeforeMs < leaf.notBeforeMs;
  }

  /** Whether a certificate is one that is known of the name. */
  isOwn(fingerprint: string): boolean {
    return (
      this.held.some(({ candidate }) => candidate.leaf?.fingerprint === fingerprint) ||
      [...this.workers, this.primary].some(({ cached }) => cached?.fingerprints.includes(fingerprint))
    );
  }

  /** Certificates that are never served, with a reason that matches. */
  unusable(reason: RegExp): Held | undefined {
    return this.held.find(
      ({ candidate }) => candidate.verdict === 'unusable' && reason.test(candidate.reason ?? ''),
    );
  }

  get orders(): SourceFacts['orders'] {
    return this.facts.facts?.sources.find(({ orders }) => orders !== undefined)?.orders;
  }

  /** Sources that are not used now, and what they say. */
  get down(): readonly SourceFacts[] {
    return this.sources.filter(({ said, skipped }) => said === 'unavailable' || skipped !== undefined);
  }

  /** Whether every source has answered, and has none. */
  get isAbsent(): boolean {
    return this.sources.every(({ said }) => said === 'absent');
  }

  /** The wildcard that was asked for too, as a clause. */
  get wildcardText(): string {
    const { wildcard } = this.facts;
    return wildcard === undefined ? '' : `, nor of ${wildcard.name}`;
  }

  /** The date of the facts as text. */
  get now(): string {
    return dateText(this.facts.atMs);
  }

  /** The authority has spoken of a name that was expired by hand: what copies have may have been withdrawn. */
  get #isOverruled(): boolean {
    return (
      this.primary.isPurged &&
      this.sources.some(({ role, said }) => role === 'authority' && said !== 'unavailable')
    );
  }

  get #counting(): readonly Held[] {
    return this.#isOverruled ? this.held.filter(({ source }) => source.role !== 'copy') : this.held;
  }
}

/**
 * Whether a look-up goes on to the wildcard above: where the name has nothing valid of its own. What is wrong there is then wrong for
 * the name, unless the wildcard has nothing either and the name is not absent.
 */
function isWildcardAsked({ facts, wildcard, atMs }: WhyFacts): boolean {
  if (facts === undefined || isAtHand(facts, atMs)) return false;
  const isAbsent = facts.primary.cached === undefined && facts.sources.every(({ said }) => said === 'absent');
  return isAbsent || (wildcard !== undefined && isAtHand(wildcard, atMs));
}

/** Whether there is a certificate that is valid now, in the cache or in a source. */
function isAtHand({ primary: { cached }, sources }: NameFacts, atMs: number): boolean {
  if (cached !== undefined && cached.notAfterMs > atMs) return true;
  return sources.some(({ candidates }) => candidates.some(isValid));
}

function isValid({ verdict, reason }: CandidateFacts): boolean {
  return (verdict === 'best' || verdict === 'good') && reason === undefined;
}

/** What a client meets where nothing of the name can be served, as the beginning of a sentence. */
export function defaultIs({ facts }: View): string {
  return facts.settings.rejectsUnknownNames
    ? 'The handshake is refused (--unknown-name reject)'
    : 'The default certificate is served';
}

/** What each source has said, as clauses. @param but one that is told already. */
export function saidBySources({ sources }: View, but?: SourceFacts): string {
  return sources
    .filter((source) => source !== but)
    .map((source) => `${source.name} ${saidText(source)}`)
    .join(', ');
}

function saidText({ said, reason, candidates }: SourceFacts): string {
  if (said === 'absent') return 'has none';
  if (said !== 'found') return `is ${said}${reason === undefined ? '' : ` (${reason})`}`;
  return candidates.map(candidateText).join(' and ');
}

/** `has one that expired on 2026-05-01 12:00 UTC` */
export function candidateText({ verdict, reason, leaf }: CandidateFacts): string {
  if (verdict === 'unusable') return `has one that cannot be served (${reason ?? 'it is damaged'})`;
  if (reason === undefined || leaf === undefined) return 'has one';
  return /expired/.test(reason)
    ? `has one that expired on ${dateText(leaf.notAfterMs)}`
    : `has one that is not valid before ${dateText(leaf.notBeforeMs)}`;
}

/** `2026-05-01 12:00 UTC` */
export function dateText(ms: number): string {
  return Number.isFinite(ms) ? `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC` : 'never';
}

/** The first 16 digits of a fingerprint, enough to tell two apart. */
export function shortPrint(fingerprint: string | undefined): string {
  return fingerprint?.slice(0, 16) ?? 'unknown';
}
