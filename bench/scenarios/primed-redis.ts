/**
 * A Redis that the manager seems to have primed, in both styles: any number of names, all with one wildcard certificate.
 */
import { splitChain } from '../../lib/domain/pem.js';
import { startRedisServer, type RedisServer } from '../../test/support/redis-server.js';
import type { Setting } from '../setting.js';

/** `#` stands for a number from 0 on. */
export const COLD_NAMES = 'n#.cold.bench.test';

const BATCH = 1_000;

export async function primedRedis({ wildcard }: Setting, count: number): Promise<RedisServer> {
  const redis = await startRedisServer();
  const client = redis.client();
  const { chainPem, keyPem } = wildcard;
  const [leaf = '', ...intermediates] = splitChain(chainPem);
  await client.mset('c:1', leaf, 'p:1', keyPem, 'i:1', intermediates.join(''));
  for (let first = 0; first < count; first += BATCH) {
    const pipeline = client.pipeline();
    for (let i = first; i < Math.min(first + BATCH, count); i++) {
      const name = COLD_NAMES.replace('#', String(i));
      pipeline.hset(`d1:${name}`, { c: '1', p: '1', i: '1' });
      pipeline.hset(`d2:${name}`, { f: chainPem, p: keyPem });
    }
    await pipeline.exec();
  }
  return redis;
}

/**
 * How often Redis reads from a connection while something runs. Who asks and waits for the answer is read once a round trip.
 */
export async function readsDuring(redis: RedisServer, run: () => Promise<unknown>): Promise<number> {
  const client = redis.client();
  const reads = async (): Promise<number> =>
    Number(/^total_reads_processed:(\d+)/m.exec(await client.info('stats'))?.[1]);
  const before = await reads();
  await run();
  // The second question itself is among what Redis has read.
  const during = (await reads()) - before - 1;
  client.disconnect();
  return during;
}
