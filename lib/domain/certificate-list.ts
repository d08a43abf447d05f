/**
 * What `certificates` tells of every certificate that is at hand. Plain JSON, and nothing of a private key is in it.
 */
import type { ChainState } from './chain-state.js';
import type { LeafFacts } from './leaf-facts.js';
import type { Tier } from './lookup.js';

export interface ListedCertificate extends LeafFacts {
  /** Whether clients can build a chain from what is served with it. */
  readonly chain: ChainState;
  /** Where it came from; `directory` where it is in --cert-dir, be it cached or not. */
  readonly sources: readonly Tier[];
  /** Names that it is cached for. */
  readonly cachedFor: number;
  /** In --cert-dir: the file with its leaf. */
  readonly file?: string;
}

export interface CertificateList {
  readonly atMs: number;
  /** The soonest to end first. */
  readonly certificates: readonly ListedCertificate[];
  /** How many more end within the time that was asked about, and are left out. Counted before they are read: two of them may be the same. */
  readonly more: number;
}
