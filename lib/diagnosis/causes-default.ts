/**
 * Causes where a client is not served a certificate of the name, in the order in which they are tried: no handshake, what no source was
 * asked about, what a cache still says though a source has one, what keeps the sources from answering, and what they lack. PURE.
 */
import { durationText } from '../base/duration-text.js';
import {
  expireCommand,
  finding,
  mended,
  mendSource,
  RELOAD_COMMAND,
  type Cause,
  type Finding,
} from './cause.js';
import { WOULD_ORDER } from './report.js';
import type { SourceFacts, SourceRemark } from '../domain/inspection.js';
import { LISTENER_DIFFERS, LISTENER_DIFFERS_UNNAMED, LISTENER_FAILS } from './causes-listeners.js';
import { budgetEmpty, CAUSES_ORDER } from './causes-order.js';
import { ALL_WORKERS_SILENT, hasOneNow, PRIMARY_LATE, WORKER_HAS_NEGATIVE } from './causes-workers.js';
import { defaultIs, saidBySources, type View } from './view.js';

/** Nobody gets so far that a name counts. */
const CAUSES_HANDSHAKE: readonly Cause[] = [
  ALL_WORKERS_SILENT,
  LISTENER_FAILS,
  [
    'listener',
    ({ facts }) => {
      const failed = facts.clients.find(({ failure }) => /cannot be reached/.test(failure ?? ''));
      return failed === undefined
        ? undefined
        : mended(`No handshake can be made: ${failed.failure ?? ''}.`, 'See the log of the program.');
    },
  ],
  [
    'handshake-failed',
    (view) => {
      const failure = view.client('modern')?.failure;
      const who = view.facts.asked === '' ? 'A client that sends no server name' : `A client of ${view.name}`;
      return failure === undefined || view.isRefusal(failure)
        ? undefined
        : mended(`${who} gets no handshake: ${failure}.`, 'See the log of the program at that time.');
    },
  ],
];

/** No name: nobody is asked. */
const CAUSES_NAME: readonly Cause[] = [
  LISTENER_DIFFERS_UNNAMED,
  [
    'no-server-name',
    ({ facts }) =>
      facts.asked === ''
        ? mended(
            'A client that sends no server name is served the default certificate: without a name no other one can be looked up.',
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
];

/** A source has one, and clients do not get it yet. */
const CAUSES_BEHIND: readonly Cause[] = [
  [
    'negative-cached',
    (view) => {
      const { negative } = view.primary;
      const there = view.best ?? view.bestOutdated;
      if (there === undefined || negative?.kind !== 'absent') return undefined;
      return mended(
        `${defaultIs(view)}: the shared cache remembers for ${durationText(negative.leftMs)} more that ${view.subject} has no certificate, as ${durationText(negative.ageMs)} ago no source had one; ${hasOneNow(there)}.`,
        'Expire the name, in the workers too:',
        expireCommand(view),
      );
    },
  ],
  [
    'error-cached',
    (view) => {
      const { negative } = view.primary;
      const there = view.best ?? view.bestOutdated;
      if (there === undefined || negative?.kind !== 'error') return undefined;
      return mended(
        `${defaultIs(view)}: ${durationText(negative.ageMs)} ago no source could tell for ${view.subject} (${negative.reason ?? 'unknown'}), which is looked up again in ${durationText(negative.leftMs)}; ${hasOneNow(there)}.`,
        'Wait that long, or expire the name, in the workers too:',
        expireCommand(view),
      );
    },
  ],
  WORKER_HAS_NEGATIVE,
  PRIMARY_LATE,
  [
    'source-down',
    (view) => {
      const { best } = view;
      const { skipped } = best?.source ?? {};
      if (best === undefined || skipped === undefined) return undefined;
      return mended(
        `${defaultIs(view)}: look-ups of ${view.name} have left ${best.source.name} out for ${durationText(skipped.forMs)}, as it failed (${skipped.reason}); it answers again now.`,
        `Wait: ${best.source.name} is tried again by itself within 5 s.`,
      );
    },
  ],
  ['budget-empty', (view) => (view.best === undefined ? undefined : budgetEmpty(view, hasOneNow(view.best)))],
  [
    'too-slow',
    (view) => {
      const limitMs = view.facts.settings.lookupTimeoutMs;
      const slowest = [...view.sources].sort((a, b) => b.tookMs - a.tookMs)[0];
      if (view.best === undefined || slowest === undefined) return undefined;
      if (slowest.tookMs < limitMs && (view.client('modern')?.tookMs ?? 0) < limitMs) return undefined;
      return mended(
        `${defaultIs(view)} while ${view.name} is looked up: ${slowest.name} took ${durationText(slowest.tookMs)} to answer, and a handshake waits ${durationText(limitMs)} for all sources together (--lookup-timeout).`,
        `See why ${slowest.name} is slow. The look-up goes on behind the handshake, so the next client may be served.`,
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
      const since = lookUp === undefined ? '' : `, for ${durationText(lookUp.forMs)} now`;
      const how = stage === 'queued' ? 'waits in the queue of orders' : 'is being ordered from the manager';
      return mended(
        `${defaultIs(view)} meanwhile: a certificate of ${view.name} ${how}${since}.`,
        'Nothing is to be done: it is served as soon as the manager has it.',
      );
    },
  ],
  ['key-mismatch', (view) => unusable(view, /private key does not belong/)],
  ['name-not-covered', (view) => unusable(view, /is not for this name/)],
  ['unusable', (view) => unusable(view, /(?:)/)],
  [
    'purged',
    (view) =>
      view.withdrawn === undefined || view.best !== undefined
        ? undefined
        : mended(
            `${defaultIs(view)}: ${view.name} was expired by hand, and since then the manager has no certificate of it; what ${view.withdrawn.source.name} has counts as withdrawn.`,
            `If it is meant to be gone, remove it from ${view.withdrawn.source.name}; else have the manager issue one, then:`,
            expireCommand(view),
          ),
  ],
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
        `${defaultIs(view)}: ${down.name} is unavailable${since}, and nothing of ${view.name} is cached: ${down.reason ?? down.skipped?.reason ?? 'it does not answer'}${othersText(view, down)}.`,
        ...mendSource(down),
      );
    },
  ],
  [
    'half-an-entry',
    (view) => {
      const broken = view.down.find(({ scope }) => scope === 'name');
      if (broken === undefined) return undefined;
      const next =
        view.facts.noHandshake === WOULD_ORDER
          ? '; the next handshake that asks for it may start an order'
          : '';
      return mended(
        `${defaultIs(view)}: ${broken.name} cannot tell for ${view.name}: ${broken.reason ?? 'its entry is damaged'}${othersText(view, broken)}${next}.`,
        // The manager is who primes.
        broken.orders === undefined
          ? `Prime the name again, or mend its entry in ${broken.name}; then:`
          : `See in the log of the ${broken.name} why it fails for this name; once it answers:`,
        expireCommand(view),
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
            "Set --redis-strategy (and the database of --redis-url) to what the manager's configuration says; then, where they are in --config:",
            RELOAD_COMMAND,
          );
    },
  ],
];

const CAUSES_ABSENT: readonly Cause[] = [
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
    (view) => {
      const { negative } = view.primary;
      if (view.best !== undefined || !view.isAbsent) return undefined;
      const asked = view.facts.facts?.sources.map(({ name }) => name) ?? [];
      if (asked.length === 0) {
        return finding(
          `${defaultIs(view)}: no source that is configured can have a certificate of ${view.name}.`,
        );
      }
      const remembered =
        negative === undefined
          ? ''
          : `, as that there is none is remembered for ${durationText(negative.leftMs)} more`;
      return mended(
        `${defaultIs(view)}: no source has a certificate of ${view.name} (asked: ${asked.join(', ')})${view.wildcardText}.`,
        `Have one issued or primed for it; then${remembered}:`,
        expireCommand(view),
      );
    },
  ],
];

export const CAUSES_DEFAULT: readonly Cause[] = [
  ...CAUSES_HANDSHAKE,
  ...CAUSES_NAME,
  ...CAUSES_BEHIND,
  LISTENER_DIFFERS,
  ...CAUSES_MISSING,
  ...CAUSES_ORDER,
  ...CAUSES_ABSENT,
];

function unusable(view: View, reason: RegExp): Finding | undefined {
  const bad = view.unusable(reason);
  if (bad === undefined || view.best !== undefined) return undefined;
  const { source, candidate } = bad;
  const sentence = `${defaultIs(view)}: ${source.name} has a certificate of ${view.subject} that cannot be served: ${candidate.reason ?? 'it is damaged'}.`;
  return source.name === 'directory'
    ? mended(
        sentence,
        'Mend the files in the certificate directory; they are read again by themselves within seconds.',
      )
    : mended(
        sentence,
        `Mend the entry in ${source.name}, or prime the name again; then:`,
        expireCommand(view),
      );
}

/** What the other sources have said, as a clause. */
function othersText(view: View, but: SourceFacts): string {
  const others = saidBySources(view, but);
  return others === '' ? '' : `; ${others}`;
}

function remark(view: View, kind: SourceRemark['kind']): string | undefined {
  return view.sources.flatMap(({ remarks }) => remarks).find((one) => one.kind === kind)?.text;
}
