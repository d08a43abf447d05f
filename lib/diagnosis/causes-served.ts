/**
 * Causes where a client is served a certificate of the name, in the order in which they are tried: first what is wrong with what
 * it gets, then what is wrong elsewhere and will come up, last that all is well. PURE.
 */
import { durationText } from '../base/duration-text.js';
import { LISTENER_DIFFERS, LISTENER_DIFFERS_UNNAMED, LISTENER_FAILS } from './causes-listeners.js';
import {
  GONE,
  hasOneNow,
  SOME_WORKERS_SILENT,
  WORKER_HAS_NEGATIVE,
  WORKER_HAS_OLD,
} from './causes-workers.js';
import { expireCommand, finding, mended, mendSource, type Cause, type Mending } from './cause.js';
import { candidateText, dateText, saidBySources, shortPrint, type View } from './view.js';

export const CAUSES_SERVED: readonly Cause[] = [
  SOME_WORKERS_SILENT,
  LISTENER_FAILS,
  LISTENER_DIFFERS_UNNAMED,
  [
    'served',
    ({ facts, leaf }) =>
      facts.asked === ''
        ? finding(
            `A client that sends no server name is served the certificate of the address that it connects to (${leaf?.names.join(', ') ?? 'unknown'}).`,
          )
        : undefined,
  ],
  WORKER_HAS_NEGATIVE,
  [
    'negative-cached',
    (view) => {
      const negative = view.facts.facts?.primary.negative;
      const { best, facts } = view;
      if (best === undefined || view.subject !== view.name || negative?.kind !== 'absent') return undefined;
      const what =
        facts.wildcard?.primary.cached === undefined
          ? 'what workers still have of it'
          : `the certificate of ${facts.wildcard.name}`;
      return mended(
        `${view.name} is served ${what}: the shared cache remembers for ${durationText(negative.leftMs)} more that it has no certificate of its own; ${hasOneNow(best)}.`,
        'Expire the name, in the workers too:',
        expireCommand(view),
      );
    },
  ],
  WORKER_HAS_OLD,
  LISTENER_DIFFERS,
  [
    'cache-has-old',
    (view) => {
      const { best, primary, leaf } = view;
      const { cached } = primary;
      // A handshake that got another one has looked it up: what was cached is replaced.
      const isServed = leaf === undefined || cached?.fingerprints.includes(leaf.fingerprint) === true;
      if (best === undefined || cached === undefined || !view.isOld(cached.fingerprints) || !isServed)
        return undefined;
      return mended(
        `${view.name} is served from the shared cache, which holds an earlier certificate (${cached.fingerprints.map(shortPrint).join(', ')}) ${cached.state === 'fresh' ? `for ${durationText(cached.leftMs)} more` : 'until the next look-up'}; ${best.source.name} has ${shortPrint(best.candidate.leaf?.fingerprint)} now.`,
        'Expire the name, in the workers too:',
        expireCommand(view),
      );
    },
  ],
  [
    'not-yet-valid',
    (view) => {
      const { leaf } = view;
      if (leaf === undefined || view.facts.atMs >= leaf.notBeforeMs) return undefined;
      return mended(
        `The certificate of ${view.name} that is served is not valid before ${dateText(leaf.notBeforeMs)}, and this machine's clock says ${view.now}; no source has a better one.`,
        'If the clock is wrong, set it (timedatectl); else wait, or prime a certificate that is valid now. Then:',
        expireCommand(view),
      );
    },
  ],
  [
    'outdated',
    (view) => {
      const { leaf, best } = view;
      if (leaf === undefined || view.facts.atMs < leaf.notAfterMs) return undefined;
      const others =
        best === undefined
          ? `no source has a better one: ${saidBySources(view)}`
          : `${best.source.name} has a valid one, which the next look-up finds`;
      return mended(
        `The certificate of ${view.name} that is served expired on ${dateText(leaf.notAfterMs)} (this machine's clock says ${view.now}), and ${others}.`,
        view.bestOutdated === undefined
          ? 'Renew it at the manager; then:'
          : `Renew it at the manager, or where ${view.bestOutdated.source.name} has it from; then:`,
        expireCommand(view),
      );
    },
  ],
  [
    'source-down-stale-served',
    (view) => {
      const { cached } = view.primary;
      const [down] = view.down;
      if (down === undefined || view.best !== undefined || cached === undefined) return undefined;
      const why = `${down.name} ${down.scope === 'name' ? `cannot tell for ${view.name}` : 'is unavailable'}: ${reasonOf(down)}`;
      const until = `valid until ${dateText(cached.notAfterMs)}`;
      const mending: Mending =
        down.scope === 'name'
          ? [
              `Prime the name again, or mend its entry in ${down.name}; it is looked up again by itself within seconds.`,
            ]
          : mendSource(down);
      return mended(
        cached.state === 'fresh'
          ? `${view.name} is served from the shared cache, which asks nobody for ${durationText(cached.leftMs)} more, and serves on after that, as ${why} (the certificate is ${until}).`
          : `${view.name} is served the last good certificate, ${until}, since ${why}.`,
        ...mending,
      );
    },
  ],
  [
    'absent-grace',
    (view) => {
      const { cached } = view.primary;
      if (
        view.best !== undefined ||
        view.bestOutdated !== undefined ||
        cached === undefined ||
        !view.isAbsent
      )
        return undefined;
      const { absentGraceMs } = view.facts.settings;
      const { absentForMs } = cached;
      return mended(
        absentForMs === undefined
          ? `No source has a certificate of ${view.name} any more; the last one is served from the shared cache for ${durationText(cached.leftMs)} more, and for ${durationText(absentGraceMs)} after that (--absent-grace).`
          : `Every source has said for ${durationText(absentForMs)} that ${view.name} has no certificate; the last one is served on for ${durationText(Math.max(0, absentGraceMs - absentForMs))} more (--absent-grace).`,
        'If it is meant to be gone, expire the name; else bring it back into its source.',
        expireCommand(view),
      );
    },
  ],
  GONE,
  [
    'copy-is-behind',
    (view) => {
      const behind = view.held.find(({ candidate }) => candidate.verdict === 'outdated');
      const { best } = view;
      if (behind === undefined || best === undefined || behind.source === best.source) return undefined;
      return mended(
        `${servedText(view)}; ${behind.source.name} ${candidateText(behind.candidate)}.`,
        `Nothing is broken for clients. Prime ${behind.source.name} again at the manager to bring it up to date.`,
      );
    },
  ],
  [
    'unusable-beside',
    (view) => {
      const bad = view.held.find(({ candidate }) => candidate.verdict === 'unusable');
      if (bad === undefined || view.best === undefined) return undefined;
      return mended(
        `${servedText(view)}; ${bad.source.name} ${candidateText(bad.candidate)}.`,
        `Nothing is broken for clients. Mend the entry in ${bad.source.name}.`,
      );
    },
  ],
  [
    'source-down-beside',
    (view) => {
      const [down] = view.down;
      if (down === undefined) return undefined;
      const what = down.scope === 'name' ? `cannot tell for ${view.name}` : 'is unavailable';
      const mending: Mending =
        down.scope === 'name'
          ? [`Nothing is broken for clients of ${view.name}. Mend its entry in ${down.name}.`]
          : mendSource(down, ': names that it alone has are served the default certificate');
      return mended(`${servedText(view)}; ${down.name} ${what}: ${reasonOf(down)}.`, ...mending);
    },
  ],
  [
    'rsa-clients-left-out',
    (view) => {
      const rsa = view.client('RSA only');
      const modern = view.client('modern');
      if (rsa === undefined || modern?.leaf === undefined) return undefined;
      if (rsa.leaf !== undefined && (rsa.isDefault !== true || view.isOwn(rsa.leaf.fingerprint)))
        return undefined;
      const what = rsa.leaf === undefined ? 'get no handshake' : 'are served the default certificate';
      const there = view.held.find(({ candidate: { verdict, leaf } }) => {
        return verdict !== 'unusable' && leaf?.key.startsWith('RSA') === true;
      });
      const served = `${servedText(view)}; its key is ${modern.leaf.key}, and clients that can use RSA alone ${what}`;
      return there === undefined
        ? mended(
            `${served}, as no source has an RSA one.`,
            'If such clients matter, have an RSA certificate issued beside it: the two are served as a pair.',
          )
        : mended(
            `${served}, as it is remembered that there was no RSA one; ${there.source.name} has one now.`,
            'Expire the name, in the workers too:',
            expireCommand(view),
          );
    },
  ],
  ['served', (view) => finding(`${servedText(view)}.`)],
];

/** That all is well, as the beginning of a sentence that may go on with what is not. */
function servedText(view: View): string {
  const { leaf, name } = view;
  const { cached } = view.primary;
  const held = view.held.find(({ candidate }) => candidate.leaf?.fingerprint === leaf?.fingerprint);
  const tier = cached?.tier ?? held?.source.name ?? view.best?.source.name;
  const what = view.subject === name ? 'its own certificate' : `the certificate of ${view.subject}`;
  const from = tier === undefined ? '' : `, which came from ${tier}`;
  return `${name} is served ${what}${from}${leaf === undefined ? '' : `, valid until ${dateText(leaf.notAfterMs)}`}`;
}

function reasonOf({ reason, skipped }: View['sources'][number]): string {
  return reason ?? skipped?.reason ?? 'it does not answer';
}
