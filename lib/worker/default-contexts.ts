/**
 * The default certificates of a worker as secure contexts: the one for all, and those that single listeners have of their own.
 */
import type { WorkerSettings } from '../config/worker-settings.js';
import type { CertificatePair } from '../domain/certificate.js';
import { examine } from '../domain/examination.js';
import { ProxyError } from '../domain/errors.js';
import { TIER_DEFAULT } from '../domain/lookup.js';
import { buildContext } from '../tls/secure-context.js';
import type { SessionTickets } from '../tls/session-tickets.js';
import type { ChosenCertificate } from '../tls/terminate.js';

export interface DefaultContexts {
  readonly common: ChosenCertificate;
  /** By the index of the listener. */
  readonly own: readonly (ChosenCertificate | undefined)[];
}

/**
 * @param dateMs the time to judge their dates by, milliseconds since 1970.
 * @throws when one of them cannot be served.
 */
export function buildDefaultContexts(
  { defaultPairs, listenerPairs }: Pick<WorkerSettings, 'defaultPairs' | 'listenerPairs'>,
  tickets: SessionTickets,
  dateMs: number,
): DefaultContexts {
  const build = (pairs: readonly CertificatePair[]): ChosenCertificate => {
    const verdict = examine(pairs, undefined, dateMs);
    if (verdict.kind === 'unusable') {
      throw new ProxyError('ERR_USAGE', `default certificate: ${verdict.reason}`);
    }
    return { context: buildContext(verdict.bundle, tickets), tier: TIER_DEFAULT };
  };
  return {
    common: build(defaultPairs),
    own: listenerPairs.map((pairs) => (pairs === null ? undefined : build(pairs))),
  };
}
