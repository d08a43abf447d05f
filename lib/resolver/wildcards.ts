/**
 * Step 6 of the order in `resolver.ts`: where a name has nothing good of its own, the certificate of the wildcard above it serves. PURE.
 *
 * That is not only where every source says that there is none. Whoever moves to a wildcard leaves certificates of names behind, which
 * expire; and an outage that concerns the name must not take the wildcard away that has served it.
 */
import { datesProblem, type CertificateBundle } from '../domain/certificate.js';
import type { LastGood, Resolution } from '../domain/lookup.js';

/** What is known of a name. */
export interface Known {
  readonly resolution: Resolution;
  /** What the PEM cache has of it. */
  readonly held: CertificateBundle | undefined;
}

/** Whether a name has a certificate to be served that is valid now. */
export function isServed({ resolution, held }: Known, dateMs: number): boolean {
  const certificate = certificateOf(resolution);
  if (certificate === undefined) return false;
  // The worker has it; it may have left the cache since.
  const known = certificate === 'unchanged' ? held : certificate;
  return known === undefined || datesProblem(known, dateMs) === undefined;
}

/**
 * What is said of a name that has nothing good of its own.
 *
 * @param above what is known of the wildcard.
 */
export function withWildcard(own: Resolution, above: Known, dateMs: number): Resolution {
  if (own.kind === 'absent') return keptNoLonger(above.resolution, own.keepMs);
  if (!isServed(above, dateMs)) return own;
  if (own.kind === 'pending') return { ...own, lastGood: lastGoodOf(above.resolution) };
  return keptNoLonger(above.resolution, own.keepMs);
}

function certificateOf(resolution: Resolution): CertificateBundle | 'unchanged' | undefined {
  if (resolution.kind === 'unchanged') return 'unchanged';
  const has = resolution.kind === 'pending' ? resolution.lastGood : resolution;
  if (has?.kind === 'unchanged') return 'unchanged';
  return has?.kind === 'found' ? has.certificate : undefined;
}

/** @param resolution one that has a certificate. */
function lastGoodOf(resolution: Resolution): LastGood {
  const certificate = certificateOf(resolution);
  return certificate === undefined || certificate === 'unchanged'
    ? { kind: 'unchanged' }
    : { kind: 'found', certificate };
}

/** The same, for a worker that may keep it no longer than so; undefined: as it is. */
function keptNoLonger(resolution: Resolution, keepMs: number | undefined): Resolution {
  if (keepMs === undefined || resolution.kind === 'pending') return resolution;
  return { ...resolution, keepMs: Math.min(keepMs, resolution.keepMs ?? Infinity) };
}
