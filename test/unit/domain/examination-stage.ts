/**
 * What the tests of `examine` share: certificates of an intermediate authority, and what is said of them.
 */
import type { CertificatePair } from '../../../lib/domain/certificate.js';
import { examine } from '../../../lib/domain/examination.js';
import type { ServerName } from '../../../lib/domain/server-name.js';
import { makeTestCa, type TestCa } from '../../support/certificates.js';

export const NAME = 'www.a.test' as ServerName;
export const NOW_MS = Date.UTC(2026, 5, 1);
export const DATES = { notBefore: Date.UTC(2026, 0, 1), notAfter: Date.UTC(2027, 0, 1) };

/** What `examine` says at a time. */
export const at = (pairs: readonly CertificatePair[], nowMs = NOW_MS, name: ServerName | undefined = NAME) =>
  examine(pairs, name, nowMs);

/** The bundle of pairs that must be usable. */
export function bundleOf(...pairs: CertificatePair[]) {
  const verdict = at(pairs);
  if (verdict.kind !== 'usable') throw new Error(`it is ${verdict.kind}: ${verdict.reason}`);
  return verdict.bundle;
}

/** Why a pair is not usable. */
export function reasonOf(...pairs: CertificatePair[]): string {
  const verdict = at(pairs);
  if (verdict.kind !== 'unusable') throw new Error(`it is ${verdict.kind}`);
  return verdict.reason;
}

/** Certificates for `NAME`, one of each kind of key, and one for another name. */
export interface Issued {
  readonly ca: TestCa;
  readonly ec: CertificatePair;
  readonly rsa: CertificatePair;
  readonly other: CertificatePair;
}

export async function issueAll(): Promise<Issued> {
  const ca = await (await makeTestCa()).intermediate();
  const [ec, rsa, other] = await Promise.all([
    ca.issue([NAME], DATES),
    ca.issue([NAME], { ...DATES, type: 'rsa' }),
    ca.issue(['other.test'], DATES),
  ]);
  return { ca, ec, rsa, other };
}
