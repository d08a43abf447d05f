/** The report of `why` as text for people. PURE. */
import { durationText } from '../../base/duration-text.js';
import { nameText } from '../../diagnosis/name-text.js';
import type { ClientFacts, WhyReport } from '../../diagnosis/report.js';
import { dateText, shortPrint } from '../../diagnosis/view.js';
import type {
  AskedWorker,
  CachedFacts,
  NameFacts,
  NegativeFacts,
  OrderFacts,
  SourceFacts,
} from '../../domain/inspection.js';
import type { LeafFacts } from '../../domain/leaf-facts.js';
import { table } from '../table.js';

const MAX_NAMES = 4;

export function whyText(report: WhyReport): string {
  const { asked, route, workers, facts, wildcard, clients, noHandshake, diagnosis } = report;
  const { otherListeners = [], listenersLeftOut = 0 } = report;
  const title = asked === '' ? '(a client without a server name)' : nameText(report);
  const { remedy } = diagnosis;
  return [
    `${title} at ${dateText(report.atMs)}\n`,
    section('route', [
      route === undefined
        ? 'none: the information page, or 404'
        : `${route.pattern} → ${route.backends.join(', ')}`,
    ]),
    facts === undefined ? '' : section('workers (their LRU)', workers.map(workerLine)),
    facts === undefined ? '' : section('shared cache', primaryLines(facts)),
    ...(facts?.sources ?? []).map(sourceText),
    wildcard === undefined ? '' : section(`wildcard ${wildcard.name}: shared cache`, primaryLines(wildcard)),
    ...(wildcard?.sources ?? []).map(sourceText),
    section(
      'served now',
      clients.length > 0
        ? [
            ...clientRows([...clients, ...otherListeners]),
            ...(listenersLeftOut > 0 ? [`${listenersLeftOut} more of the listeners were not asked`] : []),
          ]
        : [`no handshake was made: ${noHandshake ?? ''}`],
    ),
    `\n${diagnosis.sentence}\n`,
    remedy === undefined ? '' : `→ ${remedy.says}\n`,
    remedy?.command === undefined ? '' : `    ${remedy.command}\n`,
  ].join('');
}

function section(head: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : `\n${head}\n${lines.map((line) => `  ${line}\n`).join('')}`;
}

function workerLine(worker: AskedWorker): string {
  const who = `process ${worker.pid}: `;
  if ('failure' in worker) return `${who}could not be asked: ${worker.failure}`;
  const { cached, negative, isPrimaryLate } = worker;
  const late = isPrimaryLate ? ' (it goes on without the primary, which is late)' : '';
  return `${who}${cachedText(cached, negative)}${late}`;
}

function cachedText(cached: CachedFacts | undefined, negative: NegativeFacts | undefined): string {
  if (cached !== undefined) {
    const left = cached.state === 'fresh' ? `fresh for ${durationText(cached.leftMs)} more` : 'stale';
    return `${cached.fingerprints.map(shortPrint).join(' + ')} from ${cached.tier}, ${durationText(cached.ageMs)} old, ${left}`;
  }
  if (negative === undefined) return 'nothing';
  const what =
    negative.kind === 'absent'
      ? 'remembers that there is none'
      : `remembers a failure (${negative.reason ?? ''})`;
  return `${what}, for ${durationText(negative.ageMs)} now and ${durationText(negative.leftMs)} more`;
}

function primaryLines({ primary }: NameFacts): string[] {
  const { cached, negative, lookUp, isPurged } = primary;
  return [
    // Both may be there: the last good one, and that nobody could tell since.
    ...(cached !== undefined || negative === undefined ? [cachedText(cached, undefined)] : []),
    ...(cached?.leaves ?? []).map(leafText),
    ...(cached?.isProvisional === true ? ['it is kept for want of a better one'] : []),
    ...(negative === undefined ? [] : [cachedText(undefined, negative)]),
    ...(lookUp === undefined
      ? []
      : [
          `${lookUp.isOrder ? 'an order' : 'a look-up'} has been under way for ${durationText(lookUp.forMs)}`,
        ]),
    ...(isPurged ? ['it was expired by hand, and the manager has not had a certificate since'] : []),
  ];
}

function sourceText(source: SourceFacts): string {
  const { name, said, reason, tookMs, skipped, budget, orders, remarks, candidates } = source;
  const lines = [
    `${said}${reason === undefined ? '' : `: ${reason}`} (${durationText(tookMs)})`,
    ...candidates.map(
      ({ leaf, verdict, reason: why }) =>
        `${leaf === undefined ? 'a certificate that cannot be parsed' : leafText(leaf)}: ${verdict}${why === undefined ? '' : `, ${why}`}`,
    ),
    ...remarks.map(({ text }) => text),
    ...(skipped === undefined
      ? []
      : [`look-ups have skipped it for ${durationText(skipped.forMs)}: ${skipped.reason}`]),
    ...(budget === undefined
      ? []
      : [`${budget.left} of ${budget.perSecond} requests a second left, ${budget.waiting} waiting`]),
    ...orderLines(orders),
  ];
  return section(`source ${name}`, lines);
}

function orderLines(orders: OrderFacts | undefined): string[] {
  if (orders === undefined) return [];
  if (!orders.isEnabled) return ['orders: off (--enable-autocert)'];
  const { allowedBy, obstacle, ask, stage, heldMs, activeElsewhereMs, lastFailure, unable } = orders;
  const lines = [
    obstacle === undefined ? `orders: allowed by ${allowedBy ?? 'the settings'}` : `orders: ${obstacle}`,
    ...(ask === undefined
      ? []
      : [`--autocert-ask says ${ask.says}${ask.failure === undefined ? '' : `: ${ask.failure}`}`]),
    ...(stage === undefined ? [] : [`an order is under way: ${stage}`]),
    ...(heldMs === 0 ? [] : [`held off for ${durationText(heldMs)} more`]),
    ...(activeElsewhereMs === 0 ? [] : ['somebody else is ordering it']),
    ...(unable === undefined ? [] : [`the manager cannot order: ${unable}`]),
  ];
  if (lastFailure !== undefined) {
    lines.push(`the last order failed ${durationText(lastFailure.agoMs)} ago: ${lastFailure.message}`);
  }
  return lines;
}

function clientRows(clients: readonly ClientFacts[]): string[] {
  const rows = clients.map(({ client, listener, leaf, isDefault, protocol, failure, tookMs }) => [
    listener === undefined ? client : `${client} on ${listener}`,
    leaf === undefined
      ? `no handshake: ${failure ?? ''}`
      : `${isDefault === true ? 'the default certificate, ' : ''}${leafText(leaf)}`,
    `${protocol ?? ''} ${durationText(tookMs)}`.trim(),
  ]);
  return table(rows).trimEnd().split('\n');
}

function leafText({ fingerprint, names, issuer, key, notAfterMs }: LeafFacts): string {
  const more = names.length > MAX_NAMES ? `, and ${names.length - MAX_NAMES} more` : '';
  return `${shortPrint(fingerprint)} ${key} for ${names.slice(0, MAX_NAMES).join(', ')}${more}, by ${issuer}, until ${dateText(notAfterMs)}`;
}
