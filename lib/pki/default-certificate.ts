/**
 * The default certificate where none is given: minted at each start, and self-signed.
 *
 * It is for a name that does not exist. Clients without a server name, or with one that has no certificate, get it, and do not
 * trust it.
 */
import type { CertificatePair } from '../domain/certificate.js';
import { generateKey } from './keys.js';
import { selfSigned } from './mint.js';

const VALID_MS = 10 * 365 * 24 * 60 * 60 * 1000;
/** Clocks of clients may be behind ours. */
const BACKDATED_MS = 24 * 60 * 60 * 1000;

export async function mintDefaultCertificate(nowMs: number): Promise<CertificatePair> {
  return selfSigned({
    commonName: 'peter-sslers-proxy default certificate',
    names: ['default.invalid'],
    key: await generateKey('ec'),
    notBeforeMs: nowMs - BACKDATED_MS,
    notAfterMs: nowMs + VALID_MS,
  });
}
