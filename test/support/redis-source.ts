/**
 * What the tests of the Redis source share: a real server with what the manager has primed, and parts that go with the test.
 *
 *     const { redis, open, throughProxy } = redisStage('style1');
 *     it('…', async () => expect(await look(open(redis.url), KNOWN)).to.…);
 */
import { createServer, type Socket } from 'node:net';
import type { Lookup } from '../../lib/domain/lookup.js';
import type { ServerName } from '../../lib/domain/server-name.js';
import { RedisSource } from '../../lib/sources/redis/source.js';
import { listen, startProxy, type Proxy } from './redis-proxy.js';
import { redisFixture, startRedisServer, type RedisServer } from './redis-server.js';

/** A name that every recording has. */
export const KNOWN = 'plain.example.com';

export interface OpenOptions {
  /** @default 1 */
  readonly style?: 1 | 2;
  /** @default 2000 */
  readonly timeoutMs?: number;
}

export interface RedisStage {
  /** Runs from the first to the last test. */
  readonly redis: RedisServer;
  open(url: string, options?: OpenOptions): RedisSource;
  /** @param port of the stage's server unless told */
  throughProxy(port?: number): Promise<Proxy>;
  /** A server that is none of Redis. @returns its URL */
  serve(onConnection: (socket: Socket) => void): Promise<string>;
  ownServer(options: Parameters<typeof startRedisServer>[0]): Promise<RedisServer>;
  /** Called after the test, last ones first. */
  cleanUp(action: () => unknown): void;
}

/** To be called in a `describe`. @param fixtures what the server is loaded with */
export function redisStage(...fixtures: Parameters<typeof redisFixture>[0][]): RedisStage {
  let redis: RedisServer | undefined;
  const cleanups: (() => unknown)[] = [];

  before(async () => {
    redis = await startRedisServer();
    for (const fixture of fixtures) await redis.load(redisFixture(fixture));
  });
  after(() => redis?.stop());
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  return {
    get redis() {
      if (redis === undefined) throw new Error('no test has begun');
      return redis;
    },
    open(url, { style = 1, timeoutMs = 2_000 } = {}) {
      const source = new RedisSource({ settings: { strategy: style, url }, timeoutMs });
      cleanups.push(() => source.close());
      return source;
    },
    async throughProxy(port) {
      const proxy = await startProxy(port ?? this.redis.port);
      cleanups.push(() => proxy.stop());
      return proxy;
    },
    async serve(onConnection) {
      const server = await listen(createServer(onConnection));
      cleanups.push(() => server.stop());
      return `redis://127.0.0.1:${server.port}`;
    },
    async ownServer(options) {
      const server = await startRedisServer(options);
      cleanups.push(() => server.stop());
      return server;
    },
    cleanUp: (action) => void cleanups.push(action),
  };
}

export function look(source: RedisSource, name: string): Promise<Lookup> {
  return source.lookup(name as ServerName, { signal: new AbortController().signal });
}

export function reasonOf(result: Lookup): string {
  return 'reason' in result ? result.reason : `no reason: ${result.kind}`;
}
