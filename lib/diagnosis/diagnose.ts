/**
 * From the facts of a name to one sentence: which certificate a client is served and why, and what mends it. PURE.
 *
 * The causes stand in two lists, in the order in which they are tried; the first one that fits is it.
 */
import type { Cause } from './cause.js';
import { CAUSES_DEFAULT } from './causes-default.js';
import { CAUSES_SERVED } from './causes-served.js';
import type { CauseCode, Diagnosis, WhyFacts } from './report.js';
import { defaultIs, View } from './view.js';

/**
 * Some clients are not served the name's own. Which worker a handshake meets is chance, and which listener is for the client to choose.
 */
const SOME_CLIENTS_ONLY: ReadonlySet<CauseCode | undefined> = new Set<CauseCode>([
  'worker-has-negative',
  'listener-fails',
  'listener-differs',
]);

export function diagnose(facts: WhyFacts): Diagnosis {
  const view = new View(facts);
  const isOwn = isOwnServed(view);
  const found = firstOf(isOwn ? CAUSES_SERVED : CAUSES_DEFAULT, view);
  const { leaf } = view;
  const isValid = leaf === undefined || (leaf.notBeforeMs <= facts.atMs && facts.atMs < leaf.notAfterMs);
  return {
    isServed: isOwn && isValid && !SOME_CLIENTS_ONLY.has(found?.code),
    ...(found ?? {
      code: 'unknown',
      sentence: `${defaultIs(view)}, and nothing that is known of ${view.name} says why.`,
      remedy: { says: 'See the log at --log-level info for the name.' },
    }),
  };
}

/** Whether a client gets a certificate of the name: by a handshake, or, without one, by what is cached and there. */
function isOwnServed(view: View): boolean {
  const modern = view.client('modern');
  if (modern !== undefined) {
    // The default certificate may be the name's own.
    return modern.leaf !== undefined && (modern.isDefault !== true || view.isOwn(modern.leaf.fingerprint));
  }
  if (view.silent.length > 0 && view.workers.length === 0) return false;
  const { cached, negative } = view.primary;
  return cached !== undefined || ((view.best ?? view.bestOutdated) !== undefined && negative === undefined);
}

function firstOf(causes: readonly Cause[], view: View): Omit<Diagnosis, 'isServed'> | undefined {
  for (const [code, look] of causes) {
    const found = look(view);
    if (found !== undefined) return { code, ...found };
  }
  return undefined;
}
