/**
 * What a cached context costs a worker: resident memory before and after many distinct names.
 */
import { FULL } from '../handshake-contender.js';
import { CONCURRENCY } from '../measure.js';
import type { Row } from '../report.js';
import { residentBytes } from '../processes.js';
import { startProgram } from '../servers.js';
import type { Setting } from '../setting.js';
import { COLD_NAMES, primedRedis } from './primed-redis.js';

const WANTED_KIB = 40;
const MAX_NAMES = 4_000;
/** Before the first reading, once cold and once more: until heap, code and allocator have found their size. */
const WARM_UP_NAMES = 1_500;
const NAMES = 2_000;

export async function memory(setting: Setting): Promise<Row[]> {
  const { load, options } = setting;
  const redis = await primedRedis(setting, WARM_UP_NAMES + NAMES);
  try {
    const flags = ['--redis-url', redis.url, '--redis-strategy', '2', '--lru-maxitems', String(MAX_NAMES)];
    const all = [...flags, '--lru-cache-duration', '86400'];
    await using server = await startProgram({ ...options, workers: 1 }, all, setting.newStateDir());
    const [, worker = 0] = server.pids;
    const fill = async (first: number, operations: number, tier: string): Promise<number> => {
      const asked = { names: COLD_NAMES, certificate: setting.wildcardCertificate, ...FULL } as const;
      const order = { ...asked, port: server.port, first, operations } as const;
      const report = await load.perform({ ...order, concurrency: CONCURRENCY });
      if (report.tiers[tier] !== operations) throw new Error(`not all were answered by ${tier}`);
      return residentBytes(worker);
    };
    await fill(0, WARM_UP_NAMES, 'redis');
    const before = await fill(0, WARM_UP_NAMES, 'lru');
    const after = await fill(WARM_UP_NAMES, NAMES, 'redis');
    const value = (after - before) / NAMES / 1024;
    return [
      {
        what: `memory of a cached context (${NAMES} names)`,
        ours: `${value.toFixed(1)} KiB`,
        wanted: { text: `≤ ${WANTED_KIB} KiB`, value, atMost: WANTED_KIB },
      },
    ];
  } finally {
    await redis.stop();
  }
}
