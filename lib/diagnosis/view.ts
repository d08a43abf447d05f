/**
 * The facts as the causes look at them: what is served, what could be, and who says otherwise. PURE.
 */
import type { CandidateFacts, NameFacts, SourceFacts, WorkerFacts } from '../domain/inspection.js';
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
  readonly sources: readonly SourceFacts[];
  readonly workers: readonly WorkerFacts[];
  readonly primary: NameFacts['primary'];
  readonly held: readonly Held[];

  constructor(facts: WhyFacts) {
    this.facts = facts;
    this.name = facts.name ?? facts.asked;
    // A wildcard is asked where the name itself is absent: what is wrong there is wrong for the name.
    this.sources = [...(facts.facts?.sources ?? []), ...(facts.wildcard?.sources ?? [])];
    this.primary = facts.facts?.primary ?? { isPurged: false };
    this.workers = facts.workers.filter((worker): worker is WorkerFacts => !('failure' in worker));
    this.held = this.sources.flatMap((source) =>
      source.candidates.map((candidate) => ({ source, candidate })),
    );
  }

  client(kind: ClientFacts['client']): ClientFacts | undefined {
    return this.facts.clients.find(({ client }) => client === kind);
  }

  /** The best that sources have now, where it is valid. */
  get best(): Held | undefined {
    return this.held.find(({ candidate }) => candidate.verdict === 'best' && candidate.reason === undefined);
  }

  /** The same, though it is outdated. */
  get bestOutdated(): Held | undefined {
    return this.held.find(({ candidate }) => candidate.verdict === 'best' && candidate.reason !== undefined);
  }

  /** Fingerprints of all halves of the best. */
  get bestFingerprints(): ReadonlySet<string> {
    return new Set(
      this.held.flatMap(({ candidate: { verdict, leaf } }) =>
        verdict === 'best' && leaf !== undefined ? [leaf.fingerprint] : [],
      ),
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

  /** Sources that cannot be used at all now, and what they say. */
  get down(): readonly SourceFacts[] {
    return this.sources.filter(
      ({ said, skipped }) => said === 'unavailable' || (skipped !== undefined && said !== 'found'),
    );
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
}

/** What a client meets where nothing of the name can be served, as the beginning of a sentence. */
export function defaultIs({ facts }: View): string {
  return facts.settings.rejectsUnknownNames
    ? 'The handshake is refused (--unknown-name reject)'
    : 'The default certificate is served';
}

/** `2026-05-01 12:00 UTC` */
export function dateText(ms: number): string {
  return Number.isFinite(ms) ? `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC` : 'never';
}

/** The first 16 digits of a fingerprint, enough to tell two apart. */
export function shortPrint(fingerprint: string | undefined): string {
  return fingerprint?.slice(0, 16) ?? 'unknown';
}
