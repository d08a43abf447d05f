/**
 * The default certificate: given, or else minted at each start and signed by itself.
 *
 * The minted one is for nobody's name. A client without a server name, or with one that has no certificate, gets it and is right not
 * to trust it.
 */
import { examine, type CertificatePair } from '../domain/certificate.js';
import { describeError, usageError } from '../domain/errors.js';
import { buildContext, TICKET_KEY_BYTES } from '../tls/contexts.js';
import { generateKey, selfSigned } from '../tls/mint.js';

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

/**
 * Has OpenSSL take the default certificate: it has demands beyond ours, on the length of keys for example, and a worker that
 * finds out is too late.
 */
export function checkDefaultCertificate(defaultPairs: readonly CertificatePair[] | undefined): void {
  if (defaultPairs === undefined) return;
  const verdict = examine(defaultPairs, undefined, Date.now());
  if (verdict.kind === 'unusable') throw usageError(`--default-cert: ${verdict.reason}`);
  try {
    buildContext(verdict.bundle, Buffer.alloc(TICKET_KEY_BYTES));
  } catch (thrown) {
    throw usageError(`--default-cert: OpenSSL refuses it: ${describeError(thrown)}`, thrown);
  }
}
