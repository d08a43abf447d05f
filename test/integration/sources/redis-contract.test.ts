import { RedisSource } from '../../../lib/sources/redis/source.js';
import { redisFixture, startRedisServer } from '../../support/redis-server.js';
import { describeSourceContract } from '../../support/source-contract.js';

for (const style of [1, 2] as const) {
  describeSourceContract(
    `redis (style ${style})`,
    async () => {
      const server = await startRedisServer({ password: 'hush-hush' });
      await server.load(redisFixture(`style${style}`));
      const url = `redis://:hush-hush@127.0.0.1:${server.port}`;
      const source = new RedisSource({ settings: { strategy: style, url }, timeoutMs: 2_500 });
      return {
        ...{
          source,
          server,
          nameWithCertificate: 'plain.example.com',
          nameAbsent: 'nobody.example.com',
          nowMs: Date.UTC(2026, 10, 25),
        },
        secrets: ['hush-hush'],
        stop: () => server.stop(),
      };
    },
    {
      breakSource: ({ server }) => server.kill(),
      stallSource: async ({ source, server }) => {
        await source.check();
        server.freeze();
      },
      provide: async ({ server }, name, { chainPem, keyPem }) => {
        const client = server.client();
        if (style === 2) {
          await client.hset(`d2:${name}`, { f: chainPem, p: keyPem });
        } else {
          await client.hset(`d1:${name}`, { c: '900', p: '901', i: 'None' });
          await client.mset({ 'c:900': chainPem, 'p:901': keyPem });
        }
      },
    },
  );
}
