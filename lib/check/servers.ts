/**
 * Redis and the manager, asked as the program would ask them: only read, and each within its time.
 */
import type { ManagerSettings, RedisSettings } from '../config/settings.js';
import { describeError } from '../domain/errors.js';
import { probeManager, USUAL_PREFIXES, type ManagerProbe } from '../sources/manager/probe.js';
import { probeRedis, type RedisProbe } from '../sources/redis/probe.js';
import { finding, type Finding } from './finding.js';
import { within } from '../base/within.js';

/** Of one question. There are up to three, and all of them have `LIMIT_MS`. */
const QUESTION_MS = 3_000;

/** The first clause that fits says what to do. */
const REDIS_REMEDIES: readonly (readonly [RegExp, string])[] = [
  [
    /asks for a password/,
    'put it into --redis-url: redis://:PASSWORD@HOST:PORT/DB, best in --config or the environment',
  ],
  [/refuses the password/, 'correct it in --redis-url (requirepass, or the user of an ACL)'],
  [
    /DB index is out of range|invalid DB/i,
    'correct the database at the end of --redis-url, or raise databases in redis.conf',
  ],
  [/NOPERM/, 'let the user read: ~d1:* ~d2:* ~c:* ~p:* ~i:* +ping +hmget +get +select'],
];

export async function checkRedis(settings: RedisSettings): Promise<Finding[]> {
  const area = 'redis';
  const late = (): RedisProbe => ({ url: '', failure: 'Redis does not answer' });
  const { url, failure, holds } = await within(probeRedis(settings, QUESTION_MS), late);
  if (failure !== undefined) {
    const remedy = REDIS_REMEDIES.find(([clause]) => clause.test(failure))?.[1];
    return [
      finding(
        'error',
        area,
        url,
        failure,
        remedy ?? 'see that Redis runs, and that --redis-url is its address',
      ),
    ];
  }
  if (holds?.kind === 'wrong') {
    return [finding('error', area, url, holds.message, redisRemedy(holds.message))];
  }
  if (holds?.kind === 'empty') {
    return [finding('warning', area, url, holds.message, 'prime it from the manager, if it is to be used')];
  }
  return [finding('ok', area, url, `it answers, and is read as prime style ${settings.strategy}`)];
}

function redisRemedy(message: string): string {
  const style = /is the manager's prime style (\d)/.exec(message)?.[1];
  if (style !== undefined) return `--redis-strategy ${style}`;
  const database = /but database (\d+) has/.exec(message)?.[1];
  if (database !== undefined) return `name database ${database} at the end of --redis-url`;
  return 'see what the manager primes, and where: its redis settings';
}

const MANAGER_REMEDIES: readonly (readonly [RegExp, string])[] = [
  [/credentials/, 'put user:password into the first line of the file that --fallback-credentials names'],
  [/may not ask/, 'let this host in, in the manager or the server before it'],
  [/not trusted|fallback-ca/, 'name the authority of its certificate with --fallback-ca FILE'],
  [/certificate is for another host/, 'use the host name in its certificate in --fallback-server'],
  [/certificate has expired/, "renew the manager's own certificate"],
  [/speak TLS/, 'say http:// in --fallback-server, or the port that has TLS'],
  [/host name/, 'correct the host of --fallback-server, or the name server'],
  [/prefix/, 'correct the path in --fallback-server: it is the admin_prefix of the manager'],
  [/redirects/, 'name the address that it redirects to in --fallback-server'],
];

/** @returns what was found, and what the manager's clock says. */
export async function checkManager(
  settings: ManagerSettings,
  now: () => number,
): Promise<{ findings: Finding[]; clock?: { readonly dateMs: number; readonly atMs: number } }> {
  const area = 'manager';
  const where = settings.root;
  const late = (): ManagerProbe => ({ failure: 'it did not answer in time', atMs: now() });
  const probe = await within(
    probeManager(settings, now, QUESTION_MS).catch((thrown: unknown): ManagerProbe => ({
      failure: describeError(thrown),
      atMs: now(),
    })),
    late,
  );
  const { failure, otherPrefix, dateMs, atMs } = probe;
  const clock = dateMs === undefined ? {} : { clock: { dateMs, atMs } };
  if (failure === undefined) {
    const versions = USUAL_PREFIXES.find(({ prefix }) => prefix === settings.prefix)?.versions;
    const which = versions === undefined ? '' : `, under the prefix of version ${versions}`;
    return { findings: [finding('ok', area, where, `it answers as a manager does${which}`)], ...clock };
  }
  const remedy =
    otherPrefix === undefined
      ? MANAGER_REMEDIES.find(([clause]) => clause.test(failure))?.[1]
      : `--fallback-server ${settings.server.origin}${otherPrefix}: a manager answers there`;
  return {
    findings: [
      finding(
        'error',
        area,
        where,
        failure,
        remedy ?? 'see that it runs, and that --fallback-server is its address, with its prefix',
      ),
    ],
    ...clock,
  };
}
