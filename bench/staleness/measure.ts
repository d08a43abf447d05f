/**
 * Changes certificates in a Redis while the real program, with short durations, is asked for them all the time: how many handshakes get
 * the old one how long after the change, and how often Redis is asked.
 */
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { CertificatePair } from '../../lib/domain/certificate.js';
import { makeTempDir, makeTestCa } from '../../test/support/certificates.js';
import { startRedisServer, type RedisServer } from '../../test/support/redis-server.js';
import { fingerprintOf } from '../../test/support/visit.js';
import { certificateOf, connectTls } from '../load/tls.js';
import { readOptions } from '../options.js';
import { startProgram } from '../servers.js';
import type { Durations } from './formulas.js';

/** The share of old certificates among the handshakes of one moment after a change. */
export interface StalenessPoint {
  readonly afterSeconds: number;
  readonly share: number;
  readonly handshakes: number;
}

export interface LoadPoint {
  readonly certSeconds: number;
  /** Looks at Redis a second, for each name. */
  readonly perName: number;
}

export interface Measured {
  readonly durations: Durations;
  readonly staleness: readonly StalenessPoint[];
  /** The last handshake that got an old certificate, seconds after the change. */
  readonly longest: number;
  readonly load: readonly LoadPoint[];
}

interface Plan extends Durations {
  readonly names: number;
  /** Between two handshakes of a name. */
  readonly everySeconds: number;
}

/** As one to ten as the defaults are. */
const PLAN: Plan = { cert: 4, lru: 0.4, names: 30, everySeconds: 0.2 };
const LOADS: readonly Plan[] = [
  { cert: 1, lru: 0.1, names: 4, everySeconds: 0.05 },
  { cert: 2, lru: 0.2, names: 4, everySeconds: 0.1 },
];
const CHANGES = 2;
const BIN_SECONDS = 0.2;
const WORKERS = 2;

interface Seen {
  readonly atMs: number;
  readonly fingerprint: string;
}

export async function measure(): Promise<Measured> {
  const ca = await makeTestCa();
  const issue = (): Promise<CertificatePair> => ca.issue(['*.bench.test']);
  const pairs = await Promise.all(Array.from({ length: CHANGES + 1 }, issue));
  const changesMs: number[] = [];
  const change = async (redis: RedisServer): Promise<void> => {
    await delay(PLAN.cert * 1_000);
    for (const pair of pairs.slice(1)) {
      await prime(redis, PLAN, pair);
      changesMs.push(performance.now());
      await delay((PLAN.cert + PLAN.lru + Math.random()) * 1_000);
    }
  };
  const watching = watch(PLAN, pairs[0]!, change);
  const wholeMs = (PLAN.cert + (PLAN.cert + PLAN.lru) * CHANGES) * 1_000;
  const loads = LOADS.map((plan) => watch(plan, pairs[0]!, () => delay(wholeMs)));
  const [{ seen, ...rest }, ...others] = await Promise.all([watching, ...loads]);
  const prints = pairs.map(fingerprintOf);
  const found = seen.flatMap(({ atMs, fingerprint }) => {
    const index = changesMs.findLastIndex((changeMs) => changeMs <= atMs);
    const changeMs = changesMs[index];
    return changeMs === undefined
      ? []
      : [{ afterSeconds: (atMs - changeMs) / 1_000, isOld: fingerprint !== prints[index + 1] }];
  });
  return {
    durations: { cert: PLAN.cert, lru: PLAN.lru },
    staleness: pointsOf(found),
    longest: round(Math.max(...found.filter(({ isOld }) => isOld).map(({ afterSeconds }) => afterSeconds))),
    load: [...others, rest].map(({ load }) => load),
  };
}

/** Asks for every name all the time while something happens. */
async function watch(
  plan: Plan,
  pair: CertificatePair,
  during: (redis: RedisServer) => Promise<void>,
): Promise<{ seen: readonly Seen[]; load: LoadPoint }> {
  const redis = await startRedisServer();
  const { dir, remove } = await makeTempDir();
  try {
    await prime(redis, plan, pair);
    const flags = ['--redis-strategy', '2', '--redis-url', redis.url];
    const durations = ['--cert-cache-duration', String(plan.cert), '--lru-cache-duration', String(plan.lru)];
    const options = { ...readOptions([])!, workers: WORKERS };
    await using server = await startProgram(options, [...flags, ...durations], join(dir, 'state'));
    const seen: Seen[] = [];
    const isOver = { now: false };
    const visitors = namesOf(plan).map(async (name, index) => {
      // So that the entries are of all ages.
      await delay((index / plan.names) * plan.cert * 1_000);
      while (!isOver.now) {
        const nextMs = performance.now() + plan.everySeconds * 1_000;
        seen.push(await look(server.port, name));
        await delay(nextMs - performance.now());
      }
    });
    const [beforeMs, before] = [performance.now(), await looksAt(redis)];
    await during(redis);
    const seconds = (performance.now() - beforeMs) / 1_000;
    const looks = (await looksAt(redis)) - before;
    isOver.now = true;
    await Promise.all(visitors);
    return { seen, load: { certSeconds: plan.cert, perName: round(looks / seconds / plan.names) } };
  } finally {
    await redis.stop();
    await remove();
  }
}

async function look(port: number, name: string): Promise<Seen> {
  const socket = connectTls(port, name, 'TLSv1.3');
  await once(socket, 'secureConnect');
  const seen = { atMs: performance.now(), fingerprint: certificateOf(socket) };
  socket.on('error', () => undefined);
  socket.end().resume();
  return seen;
}

async function prime(redis: RedisServer, plan: Plan, { chainPem, keyPem }: CertificatePair): Promise<void> {
  const client = redis.client();
  const pipeline = client.pipeline();
  for (const name of namesOf(plan)) pipeline.hset(`d2:${name}`, { f: chainPem, p: keyPem });
  await pipeline.exec();
  client.disconnect();
}

function namesOf({ names }: Plan): string[] {
  return Array.from({ length: names }, (_, i) => `n${i}.bench.test`);
}

/** How many hashes Redis has been asked for. */
async function looksAt(redis: RedisServer): Promise<number> {
  const client = redis.client();
  const stats = await client.info('commandstats');
  client.disconnect();
  const calls = [...stats.matchAll(/^cmdstat_(?:hmget|hgetall|hget):calls=(\d+)/gm)];
  return calls.reduce((sum, [, count]) => sum + Number(count), 0);
}

function pointsOf(found: readonly { afterSeconds: number; isOld: boolean }[]): StalenessPoint[] {
  const bins = Math.ceil((PLAN.cert + PLAN.lru) / BIN_SECONDS);
  return Array.from({ length: bins }, (_, bin) => {
    const there = found.filter(({ afterSeconds }) => Math.floor(afterSeconds / BIN_SECONDS) === bin);
    const old = there.filter(({ isOld }) => isOld).length;
    return {
      afterSeconds: (bin + 0.5) * BIN_SECONDS,
      share: round(old / Math.max(1, there.length)),
      handshakes: there.length,
    };
  });
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
