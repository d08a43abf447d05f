/**
 * The machine: how many descriptors a process may have, and what its clock says.
 */
import { readFile } from 'node:fs/promises';
import type { Settings } from '../config/settings.js';
import { finding, type Finding } from './finding.js';

/** Libraries, logs, the bus, sources, listening sockets: what a worker has open beside connections. */
const OTHER_DESCRIPTORS = 100;
/** Before the first release, and after whatever a broken clock jumps to. */
const SANE_YEARS = { from: 2026, to: 2100 } as const;
/** What a certificate's dates and HTTP's forgive. */
const MAX_SKEW_MS = 60_000;
const CLOCK_REMEDY = 'set the clock, and keep it right with a time service: timedatectl status';

/** @param limit of this process; those of the program's are the same where it is started by the same means. */
export function checkDescriptors({ limits, workers }: Settings, limit: number | undefined): Finding {
  const area = 'descriptors';
  const { maxConnections } = limits;
  if (limit === undefined) {
    return finding('ok', area, '', 'this system does not say how many descriptors a process may have');
  }
  // A connection of a client, and one to its backend.
  const needed = 2 * maxConnections + OTHER_DESCRIPTORS;
  const inAll = `${workers} worker${workers === 1 ? '' : 's'} with --max-connections ${maxConnections} each`;
  if (limit >= needed) return finding('ok', area, '', `ulimit -n ${limit} is enough for ${inAll}`);
  return finding(
    'warning',
    area,
    '',
    `ulimit -n is ${limit}, and ${inAll} may need ${needed} a process: a connection to a client and one to its backend`,
    `raise it (LimitNOFILE= of a unit, ulimit -n in a shell), or lower --max-connections to ${Math.max(1, Math.floor((limit - OTHER_DESCRIPTORS) / 2))}`,
  );
}

/** `ulimit -n` of this process, as Node has raised it; undefined where the system does not say. */
export async function descriptorLimit(): Promise<number | undefined> {
  const text = await readFile('/proc/self/limits', 'utf8').catch(() => '');
  const soft = /^Max open files\s+(\S+)/m.exec(text)?.[1];
  if (soft === undefined) return undefined;
  return soft === 'unlimited' ? Infinity : Number(soft);
}

/** What others know of the time. */
export interface OtherTimes {
  /** When the newest certificate of --cert-dir begins, milliseconds since 1970. */
  readonly newestNotBeforeMs?: number;
  /** By the manager's clock, at `atMs` by ours. */
  readonly manager?: { readonly dateMs: number; readonly atMs: number };
}

export function checkClock(nowMs: number, { newestNotBeforeMs, manager }: OtherTimes): Finding[] {
  const area = 'clock';
  const found: Finding[] = [];
  const year = new Date(nowMs).getUTCFullYear();
  const date = new Date(nowMs).toISOString();
  if (year < SANE_YEARS.from || year > SANE_YEARS.to) {
    found.push(finding('error', area, '', `it says ${date}`, CLOCK_REMEDY));
  }
  if (newestNotBeforeMs !== undefined && newestNotBeforeMs > nowMs + MAX_SKEW_MS) {
    const begins = new Date(newestNotBeforeMs).toISOString();
    found.push(
      finding(
        'warning',
        area,
        '',
        `it says ${date}, and the newest certificate of --cert-dir begins on ${begins}: it may be behind`,
        CLOCK_REMEDY,
      ),
    );
  }
  if (manager !== undefined) {
    const skewMs = manager.dateMs - manager.atMs;
    if (Math.abs(skewMs) > MAX_SKEW_MS) {
      const by = `${Math.round(Math.abs(skewMs) / 1000)} s`;
      found.push(
        finding(
          'warning',
          area,
          '',
          `it is ${by} ${skewMs > 0 ? 'behind' : 'ahead of'} the manager's`,
          `set the one that is wrong: ${CLOCK_REMEDY}`,
        ),
      );
    }
  }
  return found.length > 0 ? found : [finding('ok', area, '', `it says ${date}`)];
}
