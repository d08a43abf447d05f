/**
 * Causes where a client is not served a certificate of the name, in the order in which they are tried: what no source was asked
 * about, what a cache still says though a source has one, what keeps the sources from answering, and what they lack. PURE.
 */
import { durationText } from '../base/duration-text.js';
import { expireCommand, finding, mended, type Cause, type Finding } from './cause.js';
import type { SourceRemark } from '../domain/inspection.js';
import { CAUSES_ORDER } from './causes-order.js';
import { defaultIs, type View } from './view.js';

/** No name: nobody is asked. */
const CAUSES_NAME: readonly Cause[] = [
  [
    'no-server-name',
    ({ facts }) =>
      facts.asked === ''
        ? mended(
            'A client that sends no server name is served the default certificate; nobody is asked about it.',
            'If such clients matter, give the default certificate that they should see with --default-cert and --default-key.',
          )
        : undefined,
  ],
  [
    'no-name',
    ({ facts }) =>
      facts.name === undefined
        ? finding(
            `${JSON.stringify(facts.asked)} is no host name that a certificate could be looked up for: a client that sends it is served the default certificate.`,
          )
        : undefined,
  ],
  [
    'listener',
    ({ facts }) => {
      const failed = facts.clients.find(({ failure }) => /cannot be reached/.test(failure ?? ''));
      return failed === undefined
        ? undefined
        : mended(`No handshake can be made: ${failed.failure ?? ''}.`, 'See the log of the program.');
    },
  ],
];

export const WORKER_HAS_NEGATIVE: Cause = [
  'worker-has-negative',
  (view) => {
    const behind = view.workers.filter(({ negative }) => negative !== undefined);
    if (view.best === undefined || behind.length === 0) return undefined;
    const leftMs = Math.max(...behind.map(({ negative }) => negative?.leftMs ?? 0));
    return mended(
      `${defaultIs(view)} by ${behind.length} of ${view.facts.workers.length} workers, which remember for ${durationText(leftMs)} more that ${view.name} has no certificate; ${view.best.source.name} has one now.`,
      'Wait that long, or expire the name in the workers too:',
      expireCommand(view.name),
    );
  },
];

/** A source has one, and clients do not get it yet. */
const CAUSES_BEHIND: readonly Cause[] = [
  [
    'negative-cached',
    (view) => {
      const { negative } = view.primary;
      if (view.best === undefined || negative?.kind !== 'absent') return undefined;
      return mended(
        `${defaultIs(view)}: the shared cache remembers for ${durationText(negative.leftMs)} more that ${view.name} has no certificate, as ${durationText(negative.ageMs)} ago none had one; ${view.best.source.name} has one now.`,
        'Expire the name, in the workers too:',
        expireCommand(view.name),
      );
    },
  ],
  [
    'error-cached',
    (view) => {
      const { negative } = view.primary;
      if (view.best === undefined || negative?.kind !== 'error') return undefined;
      return mended(
        `${defaultIs(view)}: ${durationText(negative.ageMs)} ago no source could tell (${negative.reason ?? 'unknown'}); ${view.name} is looked up again in ${durationText(negative.leftMs)}.`,
        'Wait that long, or expire the name:',
        expireCommand(view.name),
      );
    },
  ],
  WORKER_HAS_NEGATIVE,
  [
    'too-slow',
    (view) => {
      const limitMs = view.facts.settings.lookupTimeoutMs;
      const slow = view.sources.find(({ tookMs }) => tookMs >= limitMs);
      if (view.best === undefined || slow === undefined) return undefined;
      return mended(
        `${defaultIs(view)} while ${view.name} is looked up: ${slow.name} took ${durationText(slow.tookMs)} to answer, and a handshake waits ${durationText(limitMs)} (--lookup-timeout).`,
        `See why ${slow.name} is slow. The look-up goes on behind the handshake, so the next client may be served.`,
      );
    },
  ],
];

/** Nobody has one that could be served, or nobody could tell. */
const CAUSES_MISSING: readonly Cause[] = [
  [
    'ordering',
    (view) => {
      const { lookUp } = view.primary;
      const stage = view.orders?.stage;
      if (stage === undefined && lookUp?.isOrder !== true) return undefined;
      const since = lookUp === undefined ? '' : ` for ${durationText(lookUp.forMs)}`;
      const how = stage === 'queued' ? 'waits in the queue of orders' : 'is being ordered from the manager';
      return finding(`${defaultIs(view)} meanwhile: a certificate of ${view.name} ${how}${since}.`);
    },
  ],
  ['key-mismatch', (view) => unusable(view, /private key does not belong/)],
  ['name-not-covered', (view) => unusable(view, /is not for this name/)],
  ['unusable', (view) => unusable(view, /(?:)/)],
  [
    'unreadable',
    (view) => {
      const text = remark(view, 'unreadable');
      return text === undefined
        ? undefined
        : mended(
            `${defaultIs(view)}: the certificate directory has something that cannot be used for ${view.name}: ${text}.`,
            'Mend or remove that file; it is read again by itself within seconds.',
          );
    },
  ],
  [
    'source-down',
    (view) => {
      const down = view.down.find(({ scope, skipped }) => scope === 'source' || skipped !== undefined);
      if (down === undefined) return undefined;
      const since = down.skipped === undefined ? '' : ` (for ${durationText(down.skipped.forMs)})`;
      return mended(
        `${defaultIs(view)}: ${down.name} is unavailable${since}, and nothing of ${view.name} is cached: ${down.reason ?? down.skipped?.reason ?? 'it does not answer'}.`,
        `Mend ${down.name}; it is tried again by itself within 5 s.`,
      );
    },
  ],
  [
    'half-an-entry',
    (view) => {
      const broken = view.down.find(({ scope }) => scope === 'name');
      return broken === undefined
        ? undefined
        : mended(
            `${defaultIs(view)}: ${broken.name} cannot tell for ${view.name}: ${broken.reason ?? 'its entry is damaged'}.`,
            `Prime the name again, or mend its entry in ${broken.name}; then:`,
            expireCommand(view.name),
          );
    },
  ],
  [
    'wrong-style',
    (view) => {
      const text = remark(view, 'other style') ?? remark(view, 'survey');
      return text === undefined
        ? undefined
        : mended(
            `${defaultIs(view)}: Redis has no entry of ${view.name} where it is looked for: ${text}.`,
            "Set --redis-strategy (and the database of --redis-url) to what the manager's configuration says, then reload.",
          );
    },
  ],
  [
    'budget-empty',
    (view) => {
      const source = view.sources.find(({ budget }) => budget !== undefined && budget.left < 1);
      if (source?.budget === undefined) return undefined;
      const { perSecond, waiting } = source.budget;
      return mended(
        `${defaultIs(view)}: look-ups wait for their turn at ${source.name} (${waiting} wait now), which may be asked ${perSecond} times a second (--miss-rate); somebody asks for very many names.`,
        'See which clients ask for unknown names (access log), and raise --miss-rate only if they are meant to.',
      );
    },
  ],
];

export const CAUSES_DEFAULT: readonly Cause[] = [
  ...CAUSES_NAME,
  ...CAUSES_BEHIND,
  ...CAUSES_MISSING,
  ...CAUSES_ORDER,
  [
    'will-be-made',
    (view) => {
      const text = remark(view, 'would mint');
      return text === undefined
        ? undefined
        : finding(`${view.name} has no certificate yet, and the internal authority would mint one: ${text}.`);
    },
  ],
  [
    'absent',
    (view) =>
      view.best === undefined && view.sources.every(({ said }) => said === 'absent')
        ? mended(
            `${defaultIs(view)}: no source has a certificate of ${view.name} (${view.sources.map(({ name }) => name).join(', ')}${view.wildcardText}).`,
            'Have one issued or primed for it; it is found by the next look-up after what is cached has ended.',
          )
        : undefined,
  ],
];

function unusable(view: View, reason: RegExp): Finding | undefined {
  const bad = view.unusable(reason);
  return bad === undefined
    ? undefined
    : mended(
        `${defaultIs(view)}: ${bad.source.name} has a certificate of ${view.name} that cannot be served: ${bad.candidate.reason ?? 'it is damaged'}.`,
        `Mend the entry in ${bad.source.name}, or prime the name again; then:`,
        expireCommand(view.name),
      );
}

function remark(view: View, kind: SourceRemark['kind']): string | undefined {
  return view.sources.flatMap(({ remarks }) => remarks).find((one) => one.kind === kind)?.text;
}
