/**
 * Causes where a client is served a certificate of the name, in the order in which they are tried: first what is wrong with what
 * it gets, then what is wrong elsewhere and will come up, last that all is well. PURE.
 */
import { durationText } from '../base/duration-text.js';
import type { WorkerFacts } from '../domain/inspection.js';
import { WORKER_HAS_NEGATIVE } from './causes-default.js';
import { expireCommand, finding, mended, type Cause } from './cause.js';
import { dateText, shortPrint, type View } from './view.js';

export const CAUSES_SERVED: readonly Cause[] = [
  WORKER_HAS_NEGATIVE,
  [
    'worker-has-old',
    (view) => {
      const old = view.workers.filter(({ cached }) => isOld(view, cached?.fingerprints));
      const { best } = view;
      if (best === undefined || old.length === 0 || isOld(view, view.primary.cached?.fingerprints))
        return undefined;
      const leftMs = Math.max(...old.map(({ cached }) => cached?.leftMs ?? 0));
      return mended(
        `${old.length} of ${view.facts.workers.length} workers still ${old.length === 1 ? 'serves' : 'serve'} an earlier certificate of ${view.name} (${printsOf(old)}) from the LRU, for ${durationText(leftMs)} more at the most; ${best.source.name} has ${shortPrint(best.candidate.leaf?.fingerprint)} now.`,
        `Wait, as an expire does not reach workers by itself, or expire the name in the workers too:`,
        expireCommand(view.name),
      );
    },
  ],
  [
    'cache-has-old',
    (view) => {
      const { best, primary } = view;
      const { cached } = primary;
      if (best === undefined || cached === undefined || !isOld(view, cached.fingerprints)) return undefined;
      return mended(
        `${view.name} is served from the shared cache, which holds an earlier certificate (${cached.fingerprints.map(shortPrint).join(', ')}) ${cached.state === 'fresh' ? `for ${durationText(cached.leftMs)} more` : 'until the next look-up'}; ${best.source.name} has ${shortPrint(best.candidate.leaf?.fingerprint)} now.`,
        'Expire the name, in the workers too:',
        expireCommand(view.name),
      );
    },
  ],
  [
    'not-yet-valid',
    (view) => {
      const leaf = view.client('modern')?.leaf;
      if (leaf === undefined || view.facts.atMs >= leaf.notBeforeMs) return undefined;
      return mended(
        `The certificate of ${view.name} is not valid before ${dateText(leaf.notBeforeMs)}, and this machine's clock says ${view.now}; no source has a better one.`,
        'If the clock is wrong, set it (timedatectl); else wait, or prime a certificate that is valid now.',
      );
    },
  ],
  [
    'outdated',
    (view) => {
      const leaf = view.client('modern')?.leaf;
      if (leaf === undefined || view.facts.atMs < leaf.notAfterMs) return undefined;
      return mended(
        `The certificate of ${view.name} expired on ${dateText(leaf.notAfterMs)} (this machine's clock says ${view.now}), and no source has a better one: ${saidBySources(view)}.`,
        view.bestOutdated === undefined
          ? 'Renew it at the manager; the new one is found by the next look-up.'
          : `Renew it at the manager, or where ${view.bestOutdated.source.name} has it from; then:`,
        expireCommand(view.name),
      );
    },
  ],
  [
    'source-down-stale-served',
    (view) => {
      const { cached } = view.primary;
      const [down] = view.down;
      if (down === undefined || view.best !== undefined || cached === undefined) return undefined;
      return mended(
        `${view.name} is served the last good certificate, valid until ${dateText(cached.notAfterMs)}, since ${down.name} is unavailable: ${reasonOf(down)}.`,
        `Mend ${down.name}; it is tried again by itself within 5 s.`,
      );
    },
  ],
  [
    'absent-grace',
    (view) => {
      const { cached } = view.primary;
      if (view.best !== undefined || cached?.absentForMs === undefined) return undefined;
      const leftMs = view.facts.settings.absentGraceMs - cached.absentForMs;
      return mended(
        `Every source has said for ${durationText(cached.absentForMs)} that ${view.name} has no certificate; the last one is served on for ${durationText(leftMs)} more (--absent-grace).`,
        'If it is meant to be gone, expire the name; else bring it back into its source.',
        expireCommand(view.name),
      );
    },
  ],
  [
    'copy-is-behind',
    (view) => {
      const behind = view.held.find(({ candidate }) => candidate.verdict === 'outdated');
      const { best } = view;
      if (behind === undefined || best === undefined || behind.source === best.source) return undefined;
      return mended(
        `${view.name} is served from ${best.source.name}; ${behind.source.name} has another one, of which ${behind.candidate.reason ?? 'the dates are wrong'}.`,
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
        `${view.name} is served from ${view.best.source.name}; ${bad.source.name} has another one that cannot be served: ${bad.candidate.reason ?? 'it is damaged'}.`,
        `Nothing is broken for clients. Mend the entry in ${bad.source.name}.`,
      );
    },
  ],
  [
    'rsa-clients-left-out',
    (view) => {
      const rsa = view.client('RSA only');
      const modern = view.client('modern');
      if (rsa === undefined || modern?.leaf === undefined) return undefined;
      if (rsa.leaf !== undefined && rsa.isDefault !== true) return undefined;
      const what = rsa.leaf === undefined ? 'get no handshake' : 'are served the default certificate';
      return mended(
        `${view.name} is served its own certificate, whose key is ${modern.leaf.key}; clients that can use RSA alone ${what}, as no source has an RSA one.`,
        'If such clients matter, have an RSA certificate issued beside it: the two are served as a pair.',
      );
    },
  ],
  [
    'served',
    (view) => {
      const leaf = view.client('modern')?.leaf;
      const tier = view.primary.cached?.tier ?? view.best?.source.name;
      const until = leaf === undefined ? '' : `, valid until ${dateText(leaf.notAfterMs)}`;
      return finding(
        `${view.name} is served its own certificate${tier === undefined ? '' : `, which came from ${tier}`}${until}.`,
      );
    },
  ],
];

/** Whether something cached is none of what would be served of the sources now. */
function isOld(view: View, fingerprints: readonly string[] | undefined): boolean {
  if (fingerprints === undefined) return false;
  const best = view.bestFingerprints;
  return best.size > 0 && !fingerprints.some((fingerprint) => best.has(fingerprint));
}

function printsOf(workers: readonly WorkerFacts[]): string {
  return [...new Set(workers.flatMap(({ cached }) => cached?.fingerprints ?? []))].map(shortPrint).join(', ');
}

function saidBySources({ sources }: View): string {
  return sources.map((source) => `${source.name} ${saidText(source)}`).join(', ');
}

function saidText({ said, candidates }: View['sources'][number]): string {
  if (said !== 'found') return said === 'absent' ? 'has none' : `is ${said}`;
  return candidates.map(({ reason, verdict }) => reason ?? `has a ${verdict} one`).join(' and ');
}

function reasonOf({ reason, skipped }: View['sources'][number]): string {
  return reason ?? skipped?.reason ?? 'it does not answer';
}
