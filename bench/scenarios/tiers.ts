/**
 * What each tier costs: always the same handshake, request and information page, which says the tier that answered.
 */
import { FULL, handshakeContender, type HandshakeKind } from '../handshake-contender.js';
import { compare } from '../measure.js';
import type { Row } from '../report.js';
import { cost, ratioRow } from '../rows.js';
import { startProgram, type Server } from '../servers.js';
import type { Setting } from '../setting.js';
import type { RedisServer } from '../../test/support/redis-server.js';
import { COLD_NAMES, primedRedis, readsDuring } from './primed-redis.js';

/** What a lapsed but unchanged context may cost, against a fresh one. */
const WANTED_LAPSED_RATIO = 1.15;
const ROUND_TRIPS = { '1': 2, '2': 1 } as const;
/** Asked in turn: none of them is asked again while it is being answered. */
const WARM_NAMES = Array.from({ length: 16 }, (_, i) => COLD_NAMES.replace('#', String(i)));
const COUNTED_LOOKUPS = 50;

export async function tiers(setting: Setting): Promise<Row[]> {
  const { load, options } = setting;
  const first = options.warmUp + options.rounds * options.operations;
  const count = first + COUNTED_LOOKUPS;
  const redis = await primedRedis(setting, count);
  try {
    const start = (strategy: '1' | '2', ...flags: string[]): Promise<Server> =>
      startProgram(
        options,
        ['--redis-url', redis.url, '--redis-strategy', strategy, ...flags],
        setting.newStateDir(),
      );
    const keep = ['--lru-cache-duration', '86400'];
    await using fresh = await start('2', ...keep);
    // The shortest there is: whoever comes round again has lapsed.
    await using lapsing = await start('2', '--lru-cache-duration', '0.001');
    await using forgetting = await start('2', ...keep, '--lru-maxitems', '1');
    await using cold2 = await start('2', ...keep);
    await using cold1 = await start('1', ...keep);
    const names = WARM_NAMES;
    const certificate = setting.wildcardCertificate;
    const kinds: Omit<HandshakeKind, 'certificate'>[] = [
      { title: 'LRU hit', server: fresh, names, tier: 'lru' },
      { title: 'LRU lapsed, certificate unchanged', server: lapsing, names, tier: 'cache' },
      { title: 'LRU miss, PEM cache hit', server: forgetting, names, tier: 'cache' },
      { title: 'cold name through Redis, style 2', server: cold2, names: COLD_NAMES, tier: 'redis' },
      { title: 'cold name through Redis, style 1', server: cold1, names: COLD_NAMES, tier: 'redis' },
    ];
    const contenders = kinds.map((kind) => handshakeContender(load, { ...kind, certificate }));
    const [hit, lapsed, ...others] = await compare(contenders, options);
    return [
      { what: hit!.title, ours: cost(hit!) },
      ratioRow(hit!, lapsed!, WANTED_LAPSED_RATIO),
      ...others.map((figure) => ratioRow(hit!, figure)),
      await roundTripsRow(setting, redis, cold2, '2', first),
      await roundTripsRow(setting, redis, cold1, '1', first),
    ];
  } finally {
    await redis.stop();
  }
}

async function roundTripsRow(
  { load, wildcardCertificate: certificate }: Setting,
  redis: RedisServer,
  { port }: Server,
  style: '1' | '2',
  first: number,
): Promise<Row> {
  // One at a time: what is asked at once shares a round trip.
  const order = {
    ...{ port, names: COLD_NAMES, certificate, ...FULL },
    ...{ first, operations: COUNTED_LOOKUPS, concurrency: 1 },
  } as const;
  const trips = await readsDuring(redis, async () => {
    const { tiers } = await load.perform(order);
    if (tiers['redis'] !== COUNTED_LOOKUPS) throw new Error('not all names were cold');
  });
  const value = trips / COUNTED_LOOKUPS;
  const atMost = ROUND_TRIPS[style];
  return {
    what: `Redis round trips a look-up, style ${style}`,
    ours: value.toFixed(2),
    wanted: { text: `≤ ${atMost}`, value, atMost },
  };
}
