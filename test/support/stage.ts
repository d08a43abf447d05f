/**
 * What the look-up tests play on: a real Redis, a fake manager, and an authority for the certificates in them.
 *
 *     const stage = await openStage();
 *     await prime2(stage.redis, 'a.test', await stage.ca.issue(['a.test']));
 *     await using program = await startProgram([...stage.redisFlags(2), ...stage.managerFlags]);
 */
import type { CertificatePair } from '../../lib/domain/certificate.js';
import { splitChain } from '../../lib/domain/pem.js';
import { makeTestCa, type TestCa } from './certificates.js';
import { startFakeManager, type FakeManager } from './fake-manager.js';
import { startRedisServer, type RedisServer } from './redis-server.js';
import { eventuallySees } from './eventually.js';

export interface Stage {
  readonly ca: TestCa;
  readonly redis: RedisServer;
  readonly manager: FakeManager;
  readonly managerFlags: readonly string[];
  redisFlags(strategy: 1 | 2): string[];
  close(): Promise<void>;
}

export async function openStage(): Promise<Stage> {
  const [root, redis, manager] = await Promise.all([makeTestCa(), startRedisServer(), startFakeManager()]);
  return {
    ca: await root.intermediate(),
    redis,
    manager,
    managerFlags: ['--fallback-server', manager.root],
    redisFlags: (strategy) => ['--redis-strategy', String(strategy), '--redis-url', redis.url],
    async close() {
      await Promise.all([redis.stop(), manager.close()]);
    },
  };
}

/** Writes a certificate in prime style 1. @param id of its parts, unless told otherwise for one of them. */
export async function prime1(
  redis: RedisServer,
  name: string,
  { chainPem, keyPem }: CertificatePair,
  id: string,
  ids: { readonly c?: string; readonly p?: string; readonly i?: string } = {},
): Promise<void> {
  const [leafPem = '', ...intermediates] = splitChain(chainPem);
  const client = redis.client();
  await client.hset(`d1:${name}`, { c: id, p: id, i: id, ...ids });
  await client.mset({ [`c:${id}`]: leafPem, [`p:${id}`]: keyPem, [`i:${id}`]: intermediates.join('') });
  client.disconnect();
}

/** Writes a certificate in prime style 2. */
export async function prime2(
  redis: RedisServer,
  name: string,
  { chainPem, keyPem }: CertificatePair,
): Promise<void> {
  const client = redis.client();
  await client.hset(`d2:${name}`, { f: chainPem, p: keyPem });
  client.disconnect();
}

/** Every command that a Redis is given, from `watchRedis` on. */
export interface RedisWatch {
  /** The commands so far, all of them. */
  commands(): Promise<readonly string[]>;
  /** How often a name was looked up. */
  lookups(name: string): Promise<number>;
  stop(): void;
}

export async function watchRedis(redis: RedisServer): Promise<RedisWatch> {
  const monitor = await redis.monitor();
  const client = redis.client();
  let fences = 0;
  const commands = async (): Promise<readonly string[]> => {
    // What came before a command of our own is seen before it.
    const fence = `echo fence-${++fences}`;
    await client.echo(fence.slice('echo '.length));
    await eventuallySees(
      'MONITOR shows our own command',
      () => monitor.commands.some((command) => command.toLowerCase() === fence),
      Boolean,
    );
    return monitor.commands.filter((command) => !command.toLowerCase().startsWith('echo fence-'));
  };
  return {
    commands,
    lookups: async (name) =>
      (await commands()).filter(
        (command) => /^hmget d[12]:/i.test(command) && command.split(' ')[1]?.slice(3) === name,
      ).length,
    stop: () => monitor.stop(),
  };
}
