/**
 * The default certificates of a worker as secure contexts: the one for all, and those that single listeners have of their own. Each
 * is there once for every reason to serve it, so that a handshake makes nothing.
 */
import type { WorkerSettings } from '../config/worker-settings.js';
import type { CertificatePair } from '../domain/certificate.js';
import { examine } from '../domain/examination.js';
import { ProxyError } from '../domain/errors.js';
import { DEFAULT_REASONS, type DefaultReason } from '../domain/default-reason.js';
import { TIER_DEFAULT } from '../domain/lookup.js';
import { buildContext } from '../tls/secure-context.js';
import type { SessionTickets } from '../tls/session-tickets.js';
import type { ChosenCertificate } from '../tls/terminate.js';

/** A default certificate, by the reason that it is served for. */
export type DefaultChoices = Readonly<Record<DefaultReason, ChosenCertificate>>;

export interface DefaultContexts {
  readonly common: DefaultChoices;
  /** By the index of the listener. */
  readonly own: readonly (DefaultChoices | undefined)[];
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
  const build = (pairs: readonly CertificatePair[]): DefaultChoices => {
    const verdict = examine(pairs, undefined, dateMs);
    if (verdict.kind === 'unusable') {
      throw new ProxyError('ERR_USAGE', `default certificate: ${verdict.reason}`);
    }
    const context = buildContext(verdict.bundle, tickets);
    const choices = DEFAULT_REASONS.map((reason) => [reason, { context, tier: TIER_DEFAULT, reason }]);
    // The compiler does not follow keys through `fromEntries`.
    return Object.fromEntries(choices) as DefaultChoices;
  };
  return {
    common: build(defaultPairs),
    own: listenerPairs.map((pairs) => (pairs === null ? undefined : build(pairs))),
  };
}
