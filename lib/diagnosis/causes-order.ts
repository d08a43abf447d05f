/**
 * Causes where the manager has no certificate of the name, and none is ordered, or the last order failed. PURE.
 */
import { durationText } from '../base/duration-text.js';
import type { OrderFacts } from '../domain/inspection.js';
import { expireCommand, finding, mended, RELOAD_COMMAND, type Cause, type Finding } from './cause.js';
import { defaultIs, type View } from './view.js';

export const CAUSES_ORDER: readonly Cause[] = [
  [
    'manager-unable',
    whereOrdered((view, { unable }) =>
      unable === undefined
        ? undefined
        : mended(
            `${defaultIs(view)}: the manager cannot order any certificate of ${view.name} or of another name; it says: ${unable.replace(/\.$/, '')}.`,
            'Mend that in the manager (an account, a policy); orders are tried again by themselves within a minute.',
          ),
    ),
  ],
  [
    'refused',
    whereOrdered((view, facts) => (facts.lastFailure?.isRefusal === true ? failed(view, facts) : undefined)),
  ],
  [
    'order-failed',
    whereOrdered((view, facts) => (facts.lastFailure === undefined ? undefined : failed(view, facts))),
  ],
  [
    'ordering-elsewhere',
    whereOrdered((view, { activeElsewhereMs }) =>
      activeElsewhereMs === 0
        ? undefined
        : finding(
            `${defaultIs(view)} meanwhile: somebody else is ordering a certificate of ${view.name} at the manager, which is asked again in ${durationText(activeElsewhereMs)}.`,
          ),
    ),
  ],
  [
    'held-off',
    whereOrdered((view, { heldMs }) =>
      heldMs === 0
        ? undefined
        : mended(
            `${defaultIs(view)}: ${view.name} was ordered a while ago, and is not ordered again for ${durationText(heldMs)} (--autocert-holdoff).`,
            'To have it ordered now:',
            expireCommand(view),
          ),
    ),
  ],
  [
    'not-allowed',
    whereOrdered((view, { isNotAllowed }) =>
      isNotAllowed === true
        ? mended(
            `${defaultIs(view)}: no source has a certificate of ${view.name}, and it may not be ordered: no pattern of --autocert-allow has it.`,
            'If it is a customer, add it to --autocert-allow; then:',
            RELOAD_COMMAND,
          )
        : undefined,
    ),
  ],
  [
    'not-orderable',
    whereOrdered((view, { obstacle, ask }) => {
      const why =
        obstacle ??
        (ask === undefined || ask.says === 'yes'
          ? undefined
          : ask.says === 'no'
            ? '--autocert-ask says no'
            : `--autocert-ask gave no verdict: ${ask.failure ?? 'it failed'}`);
      return why === undefined
        ? undefined
        : finding(
            `${defaultIs(view)}: no source has a certificate of ${view.name}, and it is not ordered: ${why}.`,
          );
    }),
  ],
  ['budget-empty', whereOrdered((view) => budgetEmpty(view, 'none has one yet'))],
  [
    'will-be-ordered',
    whereOrdered((view) => {
      if (!view.isAbsent) return undefined;
      const { negative } = view.primary;
      return negative === undefined
        ? mended(
            `${view.name} has no certificate yet; the next handshake that asks for it starts an order at the manager.`,
            'Nothing is to be done. Not to keep the first client waiting, order it beforehand: name it in a FILE, and:',
            'peter-sslers-proxy warm FILE',
          )
        : mended(
            `${defaultIs(view)}: no source has a certificate of ${view.name}, which is remembered for ${durationText(negative.leftMs)} more; the next handshake after that starts an order at the manager.`,
            'To have it ordered now:',
            expireCommand(view),
          );
    }),
  ],
];

/** Look-ups wait for their turn at a source that may be asked so often only. @param there who has a certificate, as a clause. */
export function budgetEmpty(view: View, there: string): Finding | undefined {
  const source = view.sources.find(({ budget }) => budget !== undefined && budget.left < 1);
  if (source?.budget === undefined) return undefined;
  const { perSecond, waiting } = source.budget;
  return mended(
    `${defaultIs(view)}: look-ups of ${view.name} wait for their turn at ${source.name}, which may be asked ${perSecond} times a second (--miss-rate), and others have used that up (${waiting} wait now); ${there}.`,
    'See in the access log which clients ask for unknown names; raise --miss-rate only if they are meant to, then:',
    RELOAD_COMMAND,
  );
}

function whereOrdered(
  look: (view: View, facts: OrderFacts) => Finding | undefined,
): (view: View) => Finding | undefined {
  return (view) => {
    const { orders } = view;
    return orders?.isEnabled === true && view.best === undefined ? look(view, orders) : undefined;
  };
}

function failed(view: View, { lastFailure, heldMs }: OrderFacts): Finding {
  const { message = '', isRefusal = false, agoMs = 0 } = lastFailure ?? {};
  const what = isRefusal
    ? `the manager refused the order of ${view.name}, and said`
    : `the order of ${view.name} failed`;
  const next =
    heldMs > 0
      ? `it is ordered again in ${durationText(heldMs)} at the earliest`
      : 'the next handshake orders it again';
  return mended(
    `${defaultIs(view)}: ${durationText(agoMs)} ago ${what}: ${message.replace(/\.$/, '')}; ${next}.`,
    'Mend that first (does the name point here, does the challenge arrive?); then, to end the hold-off:',
    expireCommand(view),
  );
}
