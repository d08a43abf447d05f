/** Turns what is known of a name into the answer for one waiter: a certificate that the waiter already has is not sent again. */
import type { CertificateBundle } from '../domain/certificate.js';
import type { LastGood, PendingFor, Resolution } from '../domain/lookup.js';
import type { Outcome } from './conclude.js';

/** The fingerprint that the worker has sent, if it has one. */
interface Asker {
  readonly fingerprint?: string;
}

export function answer(
  outcome: Outcome & { readonly keepMs?: number },
  asker: Asker,
  lastGood?: CertificateBundle,
): Resolution {
  if (outcome.kind === 'pending') return pending(outcome.reason, asker, lastGood);
  if (outcome.kind !== 'found' || outcome.certificate.fingerprint !== asker.fingerprint) return outcome;
  return {
    kind: 'unchanged',
    tier: outcome.tier,
    ...(outcome.keepMs === undefined ? {} : { keepMs: outcome.keepMs }),
  };
}

export function pending(
  reason: string,
  asker: Asker,
  lastGood: CertificateBundle | undefined,
  waitsFor?: PendingFor,
): Resolution & { kind: 'pending' } {
  const waiting = { kind: 'pending', reason, ...(waitsFor !== undefined && { waitsFor }) } as const;
  if (lastGood === undefined) return waiting;
  const good: LastGood =
    lastGood.fingerprint === asker.fingerprint
      ? { kind: 'unchanged' }
      : { kind: 'found', certificate: lastGood };
  return { ...waiting, lastGood: good };
}
