/**
 * The candidates of one look-up, from all sources alike, and the best that can be made of them.
 *
 * A candidate is one pair: one half of what is served. They are ranked by, in this order:
 *
 *  1. valid now;
 *  2. may be used by servers (extended key usage);
 *  3. its chain leads on; a leaf alone, whose issuer may be a root, comes before one whose chain is broken, or whose issuer has
 *     expired;
 *  4. its key: ECDSA on P-256 or P-384 and RSA of 2,048 bits or more before all others;
 *  5. no copy (Redis) that is older than what the authority (the manager) had before, and that is valid still;
 *  6. the order of the sources, and the order within a source (the manager's preferences, the newest of a directory).
 *
 * The best one is served, together with the best one of the other kind (ECDSA beside RSA), from whatever source, provided that
 * both are valid now and for servers, and that the ECDSA chain is no worse than the RSA one: clients that take both are served
 * with ECDSA. What comes when there is a good one already is taken for that other half alone: a source that is asked in passing
 * does not overrule those before it.
 *
 * A key of any other kind is served only where there is nothing else, and alone.
 */
import {
  bundleOf,
  datesProblem,
  type CertificateBundle,
  type CertificateHalf,
  type CertificatePair,
} from '../domain/certificate.js';
import { chainState, type ChainState } from '../domain/chain-state.js';
import { examinePair, type ExaminedPair } from '../domain/examination.js';
import { otherKind, type KeyKind } from '../domain/key-class.js';
import type { Tier } from '../domain/lookup.js';
import type { ServerName } from '../domain/server-name.js';
import type { ServableCertificates } from './servable.js';

/** What is wrong with a pair that cannot be used, or is not valid now. */
export interface Remark {
  /** `unusable` is never served, `outdated` (expired, or not valid yet) only where there is nothing better. */
  readonly kind: 'unusable' | 'outdated';
  readonly reason: string;
  /** SHA-256 of the leaf, where that is known. */
  readonly fingerprint?: string;
}

export interface Best {
  readonly bundle: CertificateBundle;
  /** The source of the better half. */
  readonly tier: Tier;
  /** The sources of all of it. */
  readonly tiers: readonly Tier[];
  /** SHA-256 of each leaf. */
  readonly leaves: readonly string[];
  /** Why it is not valid now. */
  readonly outdated?: string;
  /** The fingerprint of the half that is the wildcard's. */
  readonly lent?: string;
}

/** Where a pair comes from, beside its source. */
export interface Provenance {
  /** There was a good one before the source was asked. */
  readonly isLate?: boolean;
  /** It is the wildcard's above the name. */
  readonly isLent?: boolean;
  /** Its source holds copies of what an authority has. */
  readonly isCopy?: boolean;
}

interface Candidate {
  readonly examined: ExaminedPair;
  readonly chain: ChainState;
  readonly tier: Tier;
  readonly isValid: boolean;
  readonly isLate: boolean;
  readonly isLent: boolean;
  /** It is a copy, and the authority has had a newer one of the kind. */
  readonly isBehind: boolean;
}

const CHAIN_RANK: Readonly<Record<ChainState, number>> = { broken: 0, alone: 1, 'leads on': 2 };

export class Candidates {
  readonly #name: ServerName;
  readonly #dateMs: number;
  readonly #servable: ServableCertificates;
  readonly #authoritys: readonly CertificateHalf[];
  #kept: Candidate[] = [];

  /**
   * @param dateMs the time to judge dates by, milliseconds since 1970.
   * @param authoritys what the authority had before, and is valid now.
   */
  constructor(
    name: ServerName,
    dateMs: number,
    servable: ServableCertificates,
    authoritys: readonly CertificateHalf[] = [],
  ) {
    this.#name = name;
    this.#dateMs = dateMs;
    this.#servable = servable;
    this.#authoritys = authoritys;
  }

  /** Takes a pair of a source. @returns what is wrong with it, if anything is. */
  add(
    pair: CertificatePair,
    tier: Tier,
    { isLate = false, isLent = false, isCopy = false }: Provenance = {},
  ): Remark | undefined {
    const examination = examinePair(pair, this.#name);
    if ('unusable' in examination) return { kind: 'unusable', reason: examination.unusable };
    const { examined } = examination;
    const fingerprint = examined.half.leafFingerprint;
    const refusal = this.#servable.refusalOf(bundleOf([examined.half]));
    if (refusal !== null) return { kind: 'unusable', reason: `OpenSSL refuses it: ${refusal}`, fingerprint };
    const outdated = datesProblem(examined.half, this.#dateMs);
    const chain = chainState(examined.leaf, examined.above, this.#dateMs);
    const isBehind = isCopy && this.#isBehind(examined.half);
    this.#kept.push({ examined, chain, tier, isValid: outdated === undefined, isLate, isLent, isBehind });
    return outdated === undefined ? undefined : { kind: 'outdated', reason: outdated, fingerprint };
  }

  #isBehind({ keyClass, notBeforeMs }: CertificateHalf): boolean {
    return this.#authoritys.some((newer) => newer.keyClass === keyClass && newer.notBeforeMs > notBeforeMs);
  }

  /** Forgets what a source has. */
  drop(tier: Tier): void {
    this.#kept = this.#kept.filter((candidate) => candidate.tier !== tier);
  }

  /** Whether there is one that no other could outrank: no further source need be asked. */
  get isGood(): boolean {
    return this.#kept.some(isGood);
  }

  /** Whether there is one that is valid now. */
  get isValid(): boolean {
    return this.#kept.some(({ isValid }) => isValid);
  }

  /** The kind of which there is no good one, where there is a good one of the other kind. */
  get missingKind(): KeyKind | undefined {
    const [kind, ...more] = new Set(this.#kept.filter(isGood).map(({ examined }) => examined.half.keyClass));
    return kind === undefined || kind === 'other' || more.length > 0 ? undefined : otherKind(kind);
  }

  /** The best that can be served; undefined without a candidate. */
  best(): Best | undefined {
    // Stable: what came first stays first among equals.
    const ranked = [...this.#kept].sort(compare);
    const [first] = ranked;
    if (first === undefined) return undefined;
    const second = ranked.find((candidate) => completes(first, candidate));
    const both = second === undefined ? [first] : [first, second];
    const bundle = bundleOf(both.map(({ examined }) => examined.half));
    const kept = this.#servable.refusalOf(bundle) === null ? both : [first];
    const served = kept === both ? bundle : bundleOf([first.examined.half]);
    const outdated = datesProblem(served, this.#dateMs);
    const lent = kept.find(({ isLent }) => isLent);
    return {
      bundle: served,
      tier: first.tier,
      tiers: kept.map(({ tier }) => tier),
      leaves: kept.map(({ examined }) => examined.half.leafFingerprint),
      ...(outdated !== undefined && { outdated }),
      ...(lent !== undefined && { lent: lent.examined.half.fingerprint }),
    };
  }
}

function isGood({ examined: { half, isForServers }, chain, isValid, isBehind }: Candidate): boolean {
  return isValid && !isBehind && isForServers && chain !== 'broken' && half.keyClass !== 'other';
}

/** Below 0 where `a` is better. */
function compare(a: Candidate, b: Candidate): number {
  const [x, y] = [a.examined, b.examined];
  return (
    Number(a.isLate) - Number(b.isLate) ||
    Number(b.isValid) - Number(a.isValid) ||
    Number(y.isForServers) - Number(x.isForServers) ||
    CHAIN_RANK[b.chain] - CHAIN_RANK[a.chain] ||
    Number(y.half.keyClass !== 'other') - Number(x.half.keyClass !== 'other') ||
    Number(a.isBehind) - Number(b.isBehind)
  );
}

/** Whether the candidate is the half that `best` lacks. */
function completes(best: Candidate, { examined, chain, isValid }: Candidate): boolean {
  const [kind, other] = [best.examined.half.keyClass, examined.half.keyClass];
  return (
    isValid === best.isValid &&
    examined.isForServers === best.examined.isForServers &&
    kind !== 'other' &&
    other !== 'other' &&
    other !== kind &&
    (other === 'rsa' || CHAIN_RANK[chain] >= CHAIN_RANK[best.chain])
  );
}
