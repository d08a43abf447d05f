/**
 * Whether all is well, and what is not: the headline. PURE.
 */
import { durationText } from '../base/duration-text.js';
import type { StatusReport } from '../domain/status-report.js';
import type { Numbers } from './frame.js';
import type { Rates } from './rates.js';
import { counted, countText, listText, percentText, rateText } from './text.js';
import { REASON_WORDS, tierWord, TROUBLED_REASONS, type Level } from './words.js';

export interface Trouble {
  readonly level: 'warn' | 'bad';
  /** A clause for the headline: what is wrong, without numbers that change. */
  readonly short: string;
  /** One sentence. */
  readonly says: string;
  /** What the program said of it, in its own words. */
  readonly detail?: string;
}

export interface Health {
  readonly level: Level;
  readonly headline: string;
  /** What goes on, in a sentence or two. */
  readonly summary: string;
  /** The worst first. */
  readonly troubles: readonly Trouble[];
}

export interface HealthFacts {
  readonly status: StatusReport;
  readonly numbers: Numbers;
  /** Of the last seconds. */
  readonly now: Rates;
  /** Of the last minute. */
  readonly minute: Rates;
}

/** A certificate that ends sooner than this has not been renewed in time. */
const LATE_RENEWAL_MS = 3 * 86_400_000;

export function healthOf(facts: HealthFacts): Health {
  const troubles = [
    ...workerTroubles(facts),
    ...sourceTroubles(facts.status),
    ...certificateTroubles(facts),
    ...trafficTroubles(facts),
    ...programTroubles(facts),
  ].sort((one, other) => Number(other.level === 'bad') - Number(one.level === 'bad'));
  const [worst] = troubles;
  const isStarting = worst === undefined && !facts.status.workers.some(({ state }) => state === 'accepting');
  return {
    level: worst?.level ?? (isStarting ? 'busy' : 'good'),
    headline: worst === undefined ? (isStarting ? 'Starting' : 'All well') : headlineOf(troubles),
    summary: summaryOf(facts),
    troubles,
  };
}

function headlineOf([first, ...others]: readonly Trouble[]): string {
  const more = others.length === 0 ? '' : `, and ${counted(others.length, 'more trouble', 'more troubles')}`;
  return `${first?.short ?? ''}${more}`;
}

function summaryOf({ status, now }: HealthFacts): string {
  const handshakes = now.perSecond('peter_sslers_handshakes_total');
  const own = handshakes - now.perSecond('peter_sslers_handshakes_total', { tier: 'default' });
  const accepting = status.workers.filter(({ state }) => state === 'accepting').length;
  const workers = `${counted(accepting, 'worker')} accepting, up ${durationText(status.uptimeMs)}.`;
  if (!now.isKnown) return workers;
  if (handshakes === 0) return `No handshakes just now. ${workers}`;
  return `${rateText(handshakes).replace('/s', '')} handshakes a second, ${percentText(own / handshakes)} with a certificate of their name. ${workers}`;
}

function workerTroubles({ status, minute }: HealthFacts): Trouble[] {
  const troubles: Trouble[] = [];
  const { workers } = status;
  if (workers.length > 0 && workers.every(({ state }) => state === 'draining')) {
    troubles.push({
      ...{ level: 'bad', short: 'No worker accepts connections' },
      says: 'No worker accepts connections: all are draining.',
    });
  }
  const died = minute.growth('peter_sslers_worker_restarts_total');
  if (died > 0) {
    troubles.push({
      ...{ level: 'bad', short: 'Workers die' },
      says: `${counted(died, 'worker')} ended unasked in the last minute.`,
    });
  }
  return troubles;
}

function sourceTroubles({ sources }: StatusReport): Trouble[] {
  return sources
    .filter(({ state }) => state !== 'up')
    .map(({ name, state, troubledForMs, lastError }) => {
      const since = troubledForMs === undefined ? '' : ` for ${durationText(troubledForMs)}`;
      const detail = lastError === undefined ? {} : { detail: lastError };
      return state === 'skipped'
        ? {
            ...{ level: 'bad' as const, short: `${tierWord(name)} is down` },
            ...{ says: `${tierWord(name)} is down${since}: look-ups skip it.`, ...detail },
          }
        : {
            ...{ level: 'warn' as const, short: `${tierWord(name)} is failing` },
            ...{ says: `${tierWord(name)} has been failing${since}.`, ...detail },
          };
    });
}

function certificateTroubles({ status: { certificates, atMs } }: HealthFacts): Trouble[] {
  const troubles: Trouble[] = [];
  const { outdated, outdatedCount, expiring, expiringCount } = certificates;
  if (outdatedCount > 0) {
    const is = outdatedCount === 1 ? 'is' : 'are';
    troubles.push({
      ...{ level: 'bad', short: 'Certificates outside of their dates are served' },
      says: `${counted(outdatedCount, 'certificate')} ${is} outside of the dates and served for want of better.`,
      detail: namesText(
        outdated.map(({ name }) => name),
        outdatedCount,
      ),
    });
  }
  const late = expiring.filter(({ notAfterMs }) => notAfterMs - atMs < LATE_RENEWAL_MS);
  if (late.length > 0) {
    const mayBeMore = isCutOff(late, expiring, expiringCount);
    troubles.push({
      ...{ level: 'warn', short: 'Certificates are about to end' },
      says: `${mayBeMore ? 'At least ' : ''}${counted(late.length, 'certificate ends', 'certificates end')} within three days.`,
      detail: namesText(
        late.map(({ name }) => name),
        late.length,
        mayBeMore,
      ),
    });
  }
  return troubles;
}

function trafficTroubles({ status, numbers, minute }: HealthFacts): Trouble[] {
  const troubles: Trouble[] = [];
  const reasons = TROUBLED_REASONS.filter(
    (reason) => minute.growth('peter_sslers_defaults_served_total', { reason }) > 0,
  );
  if (reasons.length > 0) {
    const count = reasons.reduce(
      (sum, reason) => sum + minute.growth('peter_sslers_defaults_served_total', { reason }),
      0,
    );
    troubles.push({
      ...{ level: 'warn', short: 'Default certificates are served for trouble here' },
      says: `${counted(count, 'handshake')} got the default certificate in the last minute for trouble here.`,
      detail: listText([
        ...new Set(reasons.map((reason) => REASON_WORDS[reason].replace(' (remembered)', ''))),
      ]),
    });
  }
  const leftOut = numbers.value('peter_sslers_backends_left_out');
  const { backends = [], count = 0 } = status.backends ?? {};
  const named = backends.filter(({ state }) => state === 'left out').map(({ name }) => name);
  if (leftOut > 0)
    troubles.push({
      ...{ level: 'warn', short: 'Backends are left out' },
      says: 'Backends are left out after failures.',
      ...(named.length > 0 && {
        detail: namesText(named, named.length, isCutOff(named, backends, count)),
      }),
    });
  const requests = minute.growth('peter_sslers_requests_total');
  const failed = minute.growth('peter_sslers_requests_total', { code: '5xx' });
  if (requests >= 20 && failed / requests > 0.05) {
    troubles.push({
      ...{ level: 'warn', short: 'Many requests are answered 5xx' },
      says: `${percentText(failed / requests)} of the requests of the last minute were answered 5xx.`,
    });
  }
  const refused = minute.growth('peter_sslers_connections_refused_total', { limit: 'total' });
  if (refused > 0) {
    const says = `${counted(refused, 'connection was', 'connections were')} refused in the last minute: --max-connections.`;
    troubles.push({ level: 'warn', short: 'Connections are refused', says });
  }
  return troubles;
}

function programTroubles({ status, minute }: HealthFacts): Trouble[] {
  const troubles: Trouble[] = [];
  const { failure } = status.lastReload ?? {};
  if (failure !== undefined) {
    troubles.push({
      ...{ level: 'warn', short: 'The last reload failed', detail: failure },
      says: 'The last reload failed: the settings before it are in force.',
    });
  }
  const missed = minute.growth('peter_sslers_bus_deadline_misses_total');
  if (missed > 0) {
    const says = `The primary was late ${missed === 1 ? 'once' : `${countText(missed)} times`} in the last minute.`;
    troubles.push({ level: 'warn', short: 'The primary is late', says });
  }
  const evicted = minute.growth('peter_sslers_pem_cache_evictions_total');
  if (evicted > 0) {
    const says = `The PEM cache is full: ${counted(evicted, 'certificate was', 'certificates were')} dropped in the last minute (--cert-cache-size).`;
    troubles.push({ level: 'warn', short: 'The PEM cache is full', says });
  }
  return troubles;
}

/** Whether more of a kind may be beyond the end of a list that has the first of all. */
function isCutOff(some: readonly unknown[], list: readonly unknown[], all: number): boolean {
  return some.length === list.length && list.length < all;
}

/** @param mayBeMore there are so many, or more. */
function namesText(names: readonly string[], count: number, mayBeMore = false): string {
  const shown = names.slice(0, 3);
  if (count <= shown.length) return listText(shown);
  return `${shown.join(', ')} and ${mayBeMore ? 'at least ' : ''}${count - shown.length} more`;
}
