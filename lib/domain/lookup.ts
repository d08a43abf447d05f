/**
 * The results of looking a name up: what a source says, and what the primary answers a worker.
 *
 * `absent` (the name has no certificate) and `unavailable` (nobody could tell) are never confused: an outage is
 * not remembered as "this domain has no certificate". Results are tagged unions; no value has a marker inside.
 */
import type { CertificateBundle, CertificatePair } from './certificate.js';
import type { KeyKind } from './key-class.js';
import type { ServerName } from './server-name.js';

/** What one source says of a name. */
export type Lookup =
  /** Certificates for the name, best first. Each candidate is one pair, or an RSA and an ECDSA pair. Not yet examined. */
  | { readonly kind: 'found'; readonly candidates: readonly (readonly CertificatePair[])[] }
  /** The source answered, and has none. */
  | { readonly kind: 'absent' }
  /**
   * The source failed, timed out, gave an invalid answer or holds half an entry. `reason` is one clause for a log line.
   * `scope` tells a sick source (which is then skipped for a while) from a sick entry in a healthy one.
   */
  | { readonly kind: 'unavailable'; readonly reason: string; readonly scope: 'source' | 'name' }
  /** No answer yet, and not the source's fault: no token left, or an order that somebody else started is under way. */
  | { readonly kind: 'pending'; readonly reason: string };

/** The tier that answered a handshake. A source appears by its name (`redis`, `manager`, `directory`, `ca`, or an embedder's own). */
export type Tier = string;

/** The tiers that are not sources: the worker's LRU, the primary's PEM cache, the default certificate. */
export const TIER_LRU = 'lru';
export const TIER_CACHE = 'cache';
export const TIER_DEFAULT = 'default';

/** What a worker asks the primary. */
export interface ResolveRequest {
  readonly name: ServerName;
  readonly phase: ResolvePhase;
  /** The client's address: what the rate limit on the manager is shared between. */
  readonly client: string;
  /** The id of the handshake that asks: for the log. Absent: none does. */
  readonly handshake?: string;
  /** The fingerprint of the stale certificate that the worker still has. */
  readonly fingerprint?: string;
  /** The client cannot use the key of that certificate, but can use one of this kind: the other half is asked for. */
  readonly wants?: KeyKind;
  /** A certificate of the name that the worker was given and could not build: OpenSSL's reason. */
  readonly refused?: { readonly fingerprint: string; readonly reason: string };
}

/** What the primary answers a worker. */
export type Resolution =
  | {
      readonly kind: 'found';
      readonly certificate: CertificateBundle;
      readonly tier: Tier;
      /** The longest that a worker may keep it, milliseconds. Absent: as long as the worker's own TTL says. 0: not at all. */
      readonly keepMs?: number;
      /** To a question for the other half of a pair: there is none, and nobody need ask again for so long, milliseconds. */
      readonly noHalfMs?: number;
    }
  /** As `found`, and it is the certificate whose fingerprint the worker sent. */
  | { readonly kind: 'unchanged'; readonly tier: Tier; readonly keepMs?: number; readonly noHalfMs?: number }
  /** Every source said that there is none. */
  | { readonly kind: 'absent'; readonly tier: Tier; readonly keepMs?: number }
  /** Nobody could tell, and there is no earlier certificate to go on serving. */
  | { readonly kind: 'unavailable'; readonly reason: string; readonly keepMs: number }
  | {
      readonly kind: 'pending';
      readonly reason: string;
      /** What is waited for, in one word. Absent: whatever a source says in `reason`. */
      readonly waitsFor?: PendingFor;
      /** The last good certificate of the name, if the primary still has it: for this handshake, not to be kept. */
      readonly lastGood?: LastGood;
      /** True for the one that started an order: it may ask again with phase `order` and wait for the certificate. */
      readonly starter?: true;
    };

/** A certificate that is being ordered on this machine, or sources that have not answered in time. */
export type PendingFor = 'ordering' | 'sources-late';

/** Something that the primary tells a worker. */
export interface Told<Value> {
  readonly value: Value;
  /** When it was so, by `Clock.now`: a worker that reads the message late keeps it for that much less. */
  readonly atMs: number;
}

/** An earlier certificate that goes on being served; `unchanged` when it is the one whose fingerprint the worker sent. */
export type LastGood =
  { readonly kind: 'found'; readonly certificate: CertificateBundle } | { readonly kind: 'unchanged' };

/** `lookup`: the ordinary question. `order`: the starter of an order waits for its end. */
export type ResolvePhase = 'lookup' | 'order';
