/**
 * A worker's settings as tests have them that start none: the program's defaults, small where a test is to reach a bound.
 */
import { randomBytes } from 'node:crypto';
import { loadSettings } from '../../lib/config/load.js';
import { sharedSettings, type WorkerSettings } from '../../lib/config/worker-settings.js';
import type { LimitSettings } from '../../lib/config/settings.js';
import { TICKET_KEY_BYTES } from '../../lib/tls/session-tickets.js';

const DEFAULTS = sharedSettings(
  loadSettings({ flags: {}, env: {}, readFile: () => '', cwd: '/', cpuCount: 1, nowMs: 0 }).settings,
);

export const LIMITS: LimitSettings = { ...DEFAULTS.limits, maxConnectionsPerClient: 10_000 };

export function workerSettings(changes: Partial<WorkerSettings>): WorkerSettings {
  return {
    ...DEFAULTS,
    limits: LIMITS,
    challenges: { servers: [] },
    listenerPairs: [null],
    defaultPairs: [],
    choosesByAddress: false,
    negativeMaxItems: 100,
    log: { level: 'debug', format: 'json' },
    ticketKeys: [randomBytes(TICKET_KEY_BYTES).toString('base64')],
    ...changes,
  };
}
