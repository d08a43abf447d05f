/**
 * A Redis that is down, refuses, stalls or asks for a password. The handshake ends with the default within its time, the
 * fetch goes on behind it, and nothing is ever written.
 */
import { createServer, type Socket } from 'node:net';
import { expect } from 'chai';
import { handshake } from '../../support/client.js';
import { startProgram } from '../../support/program.js';
import { listen } from '../../support/redis-proxy.js';
import { redisFixture, startRedisServer } from '../../support/redis-server.js';
import { openStage, prime1, prime2, watchRedis, type Stage } from '../../support/stage.js';
import { eventuallyServes, fingerprintOf, visit } from '../../support/visit.js';

describe('A Redis', () => {
  let stage: Stage;
  before(async () => (stage = await openStage()));
  after(() => stage.close());

  /** A server that is not Redis, for one test. */
  const impostor = async (onConnection: (socket: Socket) => void) => {
    const server = await listen(createServer(onConnection));
    return { url: `redis://127.0.0.1:${server.port}`, [Symbol.asyncDispose]: () => server.stop() };
  };

  const IMPOSTORS: Record<string, (socket: Socket) => void> = {
    'that accepts and never answers': () => undefined,
    'that closes every connection': (socket) => socket.destroy(),
    'that speaks something else': (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'),
  };
  for (const [index, [what, onConnection]] of Object.entries(IMPOSTORS).entries()) {
    it(`${what}: the handshake ends with the default while the fetch goes on behind it`, async () => {
      const name = `behind-${index}.test`;
      const pair = await stage.ca.issue([name]);
      let release = (): void => undefined;
      const released = new Promise<void>((resolve) => (release = resolve));
      stage.manager.setCertificate(name, pair);
      stage.manager.answer('GET', name, { until: released, status: 503, times: 1 });
      await using server = await impostor(onConnection);
      await using program = await startProgram([
        ...['--redis-strategy', '2', '--redis-url', server.url, ...stage.managerFlags],
        ...['--lookup-timeout', '0.3', '--error-cache-duration', '0.2'],
      ]);
      // The manager answers only when this handshake is over.
      expect((await visit(program, name)).tier).to.equal('default');
      await stage.manager.received(1, ({ url }) => url.includes(name));
      release();
      const { reason } = await program.logged('no source could tell', { name });
      expect(reason).to.match(/^redis: .*; manager: it answered 503$/);
      await eventuallyServes(program, name, pair);
      expect((await program.workerPids()).length).to.equal(1);
    });
  }

  it('that stalls: a certificate that is known serves on, until Redis is skipped and after', async () => {
    const redis = await startRedisServer();
    try {
      const pair = await stage.ca.issue(['known.test']);
      await prime2(redis, 'known.test', pair);
      await using program = await startProgram([
        ...['--redis-strategy', '2', '--redis-url', redis.url],
        ...['--lru-cache-duration', '0.1', '--cert-cache-duration', '0.1', '--error-cache-duration', '0.1'],
        ...['--lookup-timeout', '0.3'],
      ]);
      await eventuallyServes(program, 'known.test', pair);
      redis.freeze();
      // The look-ups fail one after the other, until Redis is skipped.
      while (!program.log.some(({ msg }) => msg.startsWith('source redis is unavailable'))) {
        const { certificate } = await handshake({ port: program.port, servername: 'known.test' });
        expect(certificate.fingerprint256).to.equal(fingerprintOf(pair));
      }
      redis.thaw();
      await program.logged('source redis answers again');
      await eventuallyServes(program, 'known.test', pair);
    } finally {
      redis.thaw();
      await redis.stop();
    }
  });

  it('that asks for a password that is not given: the log says so, and the next source is asked', async () => {
    const redis = await startRedisServer({ password: 'open sesame' });
    try {
      const pair = await stage.ca.issue(['locked.test']);
      await using program = await startProgram([
        ...['--redis-strategy', '1', '--redis-url', redis.url, ...stage.managerFlags],
      ]);
      expect((await visit(program, 'unknown.test')).tier).to.equal('default');
      const { reason } = await program.logged('no source could tell', { name: 'unknown.test' });
      expect(reason).to.equal('redis: Redis asks for a password, and the Redis URL has none');
      stage.manager.setCertificate('locked.test', pair);
      expect(await visit(program, 'locked.test')).to.include({
        tier: 'manager',
        fingerprint: fingerprintOf(pair),
      });
    } finally {
      await redis.stop();
    }
  });

  it('that asks for a password that is given is read; it appears in no log line', async () => {
    const redis = await startRedisServer({ password: 'opensesame' });
    try {
      const pair = await stage.ca.issue(['unlocked.test']);
      await prime2(redis, 'unlocked.test', pair);
      await using program = await startProgram([
        ...['--redis-strategy', '2', '--redis-url', redis.url.replace('//', '//:opensesame@')],
      ]);
      expect(await visit(program, 'unlocked.test')).to.include({ tier: 'redis' });
      await redis.kill();
      await program.logged('redis is not available');
      expect(program.stderr + program.stdout).to.not.include('opensesame');
    } finally {
      await redis.stop();
    }
  });

  for (const strategy of [1, 2] as const) {
    it(`of style ${strategy} is only ever read`, async () => {
      await stage.redis.load(redisFixture(`style${strategy}`));
      await (strategy === 1 ? prime1 : prime2)(
        stage.redis,
        `read-${strategy}.test`,
        await stage.ca.issue([`read-${strategy}.test`]),
        'read',
      );
      const watch = await watchRedis(stage.redis);
      await using program = await startProgram([
        ...[...stage.redisFlags(strategy), ...stage.managerFlags, '--enable-autocert', '--wildcards'],
        ...['--cert-cache-duration', '0.1', '--lru-cache-duration', '0.1', '--error-cache-duration', '0.1'],
      ]);
      stage.manager.issue(`ordered-${strategy}.test`, await stage.ca.issue([`ordered-${strategy}.test`]));
      for (const name of ['read', 'ordered', 'unknown']) await visit(program, `${name}-${strategy}.test`);
      for (const name of ['both', 'expired', 'a.wild']) await visit(program, `${name}.example.com`);
      const verbs = new Set((await watch.commands()).map((command) => command.split(' ')[0]?.toLowerCase()));
      const allowed = ['select', 'hello', 'ping', 'hmget', 'get', 'scan', 'info', 'hexists'];
      expect([...verbs].filter((verb) => !allowed.includes(verb ?? ''))).to.deep.equal([]);
      expect(verbs).to.include('hmget');
      watch.stop();
    });
  }
});
