/**
 * A look at the manager, once, for a person: whether it can be used. It is asked for a name that cannot exist, and not to prime:
 * nothing is ordered or written for it.
 */
import type { ManagerSettings } from '../../config/settings.js';
import { ManagerClient } from './client.js';
import { IMPOSSIBLE_NAME, troubleOf } from './impossible-name.js';
import { interpretQuery } from './schema.js';

/** What managers have for a prefix unless they are told otherwise, and the versions that do. */
export const USUAL_PREFIXES = [
  { prefix: '/.well-known/peter_sslers', versions: '1.0 or later' },
  { prefix: '/.well-known/admin', versions: '0.4 or 0.5' },
] as const;

export interface ManagerProbe {
  /** Why it cannot be used. */
  readonly failure?: string;
  /** A manager answers under this prefix, which is not the one that was given. */
  readonly otherPrefix?: string;
  /** By the manager's clock at `atMs`, milliseconds since 1970. */
  readonly dateMs?: number;
  readonly atMs: number;
}

/**
 * @param now milliseconds since 1970.
 * @param timeoutMs of each question. Never rejects.
 */
export async function probeManager(
  settings: ManagerSettings,
  now: () => number,
  timeoutMs: number,
): Promise<ManagerProbe> {
  const probe = await ask(settings, now, timeoutMs);
  if (probe.failure === undefined || !/prefix|another server/.test(probe.failure)) return probe;
  for (const { prefix } of USUAL_PREFIXES) {
    if (prefix === settings.prefix) continue;
    const { failure } = await ask({ ...settings, prefix }, now, timeoutMs);
    if (failure === undefined) return { ...probe, otherPrefix: prefix };
  }
  return probe;
}

async function ask(
  { server, prefix, caPem, credentials, preferences }: ManagerSettings,
  now: () => number,
  timeoutMs: number,
): Promise<ManagerProbe> {
  const client = new ManagerClient({
    origin: server.origin,
    prefix,
    ...(caPem !== undefined && { caPem }),
    ...(credentials !== undefined && { credentials }),
    orderConnections: 1,
    timeouts: {
      connectMs: timeoutMs,
      headersMs: timeoutMs,
      bodyMs: timeoutMs,
      orderMs: timeoutMs,
      askMs: timeoutMs,
    },
  });
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), timeoutMs);
  try {
    const path = client.queryPath(IMPOSSIBLE_NAME);
    const answer = await client.query(path, { primes: false }, late.signal);
    const atMs = now();
    if ('failure' in answer) {
      return { atMs, failure: late.signal.aborted ? 'it did not answer in time' : answer.failure };
    }
    const { lookup } = interpretQuery(answer, IMPOSSIBLE_NAME, path, preferences);
    const failure = troubleOf(lookup);
    const { dateMs } = answer;
    return {
      atMs,
      ...(failure !== undefined && { failure }),
      ...(dateMs !== undefined && { dateMs }),
    };
  } finally {
    clearTimeout(timer);
    await client.close();
  }
}
