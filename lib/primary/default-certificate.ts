/**
 * The default certificate: given, or else minted at each start and signed by itself.
 *
 * The minted one is for nobody's name. A client without a server name, or with one that has no certificate, gets it and is right not
 * to trust it.
 */
import { addressText, type Settings } from '../config/settings.js';
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
 * Has OpenSSL take the default certificates, those of single listeners too: it has demands beyond ours, on the length of keys for
 * example, and a worker that finds out is too late.
 *
 * @throws ProxyError ERR_USAGE, in a sentence that names the flag and the listener.
 */
export function checkDefaultCertificates({
  defaultPairs,
  listen,
}: Pick<Settings, 'defaultPairs' | 'listen'>): void {
  checkPairs(defaultPairs, '--default-cert');
  for (const listener of listen) {
    checkPairs(listener.defaultPairs, `the default-cert of listen ${addressText(listener)}`);
  }
}

function checkPairs(pairs: readonly CertificatePair[] | undefined, label: string): void {
  if (pairs === undefined) return;
  const verdict = examine(pairs, undefined, Date.now());
  if (verdict.kind === 'unusable') throw usageError(`${label}: ${verdict.reason}`);
  try {
    buildContext(verdict.bundle, Buffer.alloc(TICKET_KEY_BYTES));
  } catch (thrown) {
    throw usageError(`${label}: OpenSSL refuses it: ${describeError(thrown)}`, thrown);
  }
}
