/**
 * What is said of a Redis that has keys, but not where look-ups read them.
 */
import { expect } from 'chai';
import { Redis } from 'ioredis';
import { silentLogger, type Logger } from '../../../lib/log/logger.js';
import { RedisSource } from '../../../lib/sources/redis/source.js';
import { databasesOf, findingOf, survey } from '../../../lib/sources/redis/survey.js';
import { eventually } from '../../support/eventually.js';
import { startProgram } from '../../support/program.js';
import { startProxy, type Proxy } from '../../support/redis-proxy.js';
import { redisFixture, startRedisServer, type RedisServer } from '../../support/redis-server.js';

describe('A look around Redis', () => {
  let redis: RedisServer;
  before(async () => {
    redis = await startRedisServer();
  });
  after(() => redis.stop());
  beforeEach(async () => {
    await redis.client().flushall();
  });

  /** What is found by somebody who reads a style in a database. */
  async function find(style: 1 | 2, database = 9): Promise<{ kind: string; message?: string }> {
    return findingOf(await survey(redis.client(database), database, style), style);
  }

  it('has nothing to say where the keys are as they should be', async () => {
    await redis.load(redisFixture('style1'));
    await redis.load(redisFixture('style2'), 3);
    expect(await find(1)).to.deep.equal({ kind: 'as expected' });
    expect(await find(2, 3)).to.deep.equal({ kind: 'as expected' });
  });

  it('tells the other prime style, both ways round', async () => {
    await redis.load(redisFixture('style1'));
    await redis.load(redisFixture('style2'), 3);
    expect(await find(2)).to.deep.equal({
      kind: 'wrong',
      message:
        "database 9 of Redis has no d2: keys (prime style 2) but d1: keys: is the manager's prime style 1? See --redis-strategy",
    });
    expect((await find(1, 3)).message).to.match(/^database 3 of Redis has no d1: keys .* but d2: keys: /);
  });

  it('tells the database that has the keys', async () => {
    await redis.client(1).set('some:thing', 'else');
    await redis.load(redisFixture('style2'));
    expect(await find(2, 0)).to.deep.equal({
      kind: 'wrong',
      message: 'database 0 of Redis has no d2: keys (prime style 2), but database 9 has: see --redis-url',
    });
    expect((await find(1, 0)).message).to.equal(
      'database 0 of Redis has no d1: keys (prime style 1), and database 9 has d2: keys',
    );
  });

  it('tells the keys of manager 0.4.0, of either style, from keys that are somebody else’s', async () => {
    const client = redis.client();
    await client.set('not.a.hash', 'x');
    await client.hset('other.example.com', { f: 'x' });
    expect((await find(2)).kind).to.equal('empty');
    await client.hset('a.example.com', { f: 'x', p: 'x' });
    expect((await find(2)).message).to.match(
      /but bare NAME keys: these are of manager 0\.4\.0 and are not read/,
    );
    await client.hset('d:a.example.com', { c: '1', p: '1', i: '99' });
    expect((await find(1)).message).to.match(/no d1: keys .* but d:NAME keys: these are of manager 0\.4\.0/);
  });

  it('says no more than that of an empty one', async () => {
    expect(await find(1)).to.deep.equal({
      kind: 'empty',
      message: 'Redis has no keys of the manager: nothing is primed yet',
    });
    await redis.client(2).set('a:b', 'c');
    expect(await find(1)).to.deep.equal({
      kind: 'empty',
      message: 'database 9 of Redis has no d1: keys (prime style 1); not empty: database 2',
    });
  });

  it('takes twenty steps in a large database, and claims nothing that it has not seen', async () => {
    const client = redis.client();
    await client.eval("for i = 1, 60000 do redis.call('set', 'session:' .. i, '') end", 0);
    const monitor = await redis.monitor();
    expect(await find(1)).to.deep.equal({ kind: 'as expected' });
    await client.echo('end');
    await eventually('the end is seen', () => monitor.commands.some((command) => command.startsWith('echo')));
    monitor.stop();
    const verbs = monitor.commands.map((command) => command.split(' ')[0]?.toLowerCase());
    expect(verbs.filter((verb) => verb === 'scan')).to.have.length(20);
    for (const verb of verbs) expect(verb).to.be.oneOf(['hello', 'select', 'scan', 'info', 'echo']);
  });

  describe('whose connection is lost', () => {
    let proxy: Proxy;
    beforeEach(async () => {
      proxy = await startProxy(redis.port);
      await redis.load(redisFixture('style2'), 4);
      // It looks like a name, so its fields are asked for.
      await redis.client().set('not.a.hash', 'x');
    });
    afterEach(() => proxy.stop());

    for (const command of ['scan', 'hexists', 'info', 'select']) {
      it(`at ${command.toUpperCase()} has no result: that is no refusal`, async () => {
        const client = new Redis(`${proxy.url}/9`, { retryStrategy: () => null });
        client.on('error', () => undefined);
        try {
          await client.ping();
          proxy.cutOn(command, 1);
          const outcome = await survey(client, 9, 2).catch((thrown: unknown) => thrown);
          expect(outcome).to.be.an('error').with.property('message', 'Connection is closed.');
        } finally {
          client.disconnect();
        }
      });
    }
  });

  it('reads which databases have keys', () => {
    const info = '# Keyspace\r\ndb0:keys=1,expires=0,avg_ttl=0\r\ndb12:keys=7,expires=7,avg_ttl=5\r\n';
    expect(databasesOf(info)).to.deep.equal([0, 12]);
    expect(databasesOf('')).to.deep.equal([]);
  });

  describe('of the source', () => {
    let lines: string[];
    const opened: RedisSource[] = [];
    afterEach(async () => {
      for (const source of opened.splice(0)) await source.close();
    });
    function open(url: string): RedisSource {
      lines = [];
      const line = (level: string) => (message: string) => void lines.push(`${level} ${message}`);
      const log: Logger = {
        ...silentLogger,
        notice: line('notice'),
        info: line('info'),
        debug: line('debug'),
      };
      const source = new RedisSource({ settings: { strategy: 2, url }, log });
      opened.push(source);
      source.lookAround();
      return source;
    }
    const ended = (): Promise<void> =>
      eventually('it has ended', () =>
        lines.some((line) => !/connected to redis|available again/.test(line)),
      );

    it('is said once, and again when it has changed', async () => {
      await redis.load(redisFixture('style1'));
      const source = open(`${redis.url}/9`);
      await ended();
      source.lookAround();
      await redis.load(redisFixture('style2'), 4);
      await redis.client().flushdb();
      await eventually('there is news', () => {
        source.lookAround();
        return lines.filter((line) => line.startsWith('notice')).length === 2;
      });
      const notices = lines.filter((line) => line.startsWith('notice'));
      expect(notices[0]).to.include('but d1: keys');
      expect(notices[1]).to.include('but database 4 has');
    });

    it('is said when Redis is connected first, where it was away at the start', async () => {
      const late = await startRedisServer();
      try {
        await late.kill();
        open(`${late.url}/9`);
        await late.restart();
        await ended();
        expect(lines.at(-1)).to.equal('info Redis has no keys of the manager: nothing is primed yet');
      } finally {
        await late.stop();
      }
    });

    it('is silent where an ACL forbids it', async () => {
      await redis.load(redisFixture('style1'));
      await redis
        .client()
        .acl('SETUSER', 'reader', 'on', '>pw', '~*', '+hmget', '+get', '+ping', '+select', '+hello');
      open(`redis://reader:pw@127.0.0.1:${redis.port}/9`);
      await ended();
      expect(lines.filter((line) => !line.startsWith('info connected'))).to.have.length(1);
      expect(lines.at(-1)).to.equal('debug redis does not say what keys it has');
    });

    it('is said as far as it goes where only INFO is forbidden', async () => {
      await redis.load(redisFixture('style1'));
      const rights = ['~*', '+hmget', '+get', '+ping', '+select', '+hello', '+scan', '+hexists'];
      await redis.client().acl('SETUSER', 'scanner', 'on', '>pw', ...rights);
      open(`redis://scanner:pw@127.0.0.1:${redis.port}/9`);
      await ended();
      expect(lines.at(-1)).to.match(/^notice .* but d1: keys/);
    });

    it('does not say of a whole Redis that it is empty where INFO or SELECT is forbidden', async () => {
      await redis.load(redisFixture('style2'), 4);
      const rights = ['~*', '+hmget', '+get', '+ping', '+hello', '+scan', '+hexists'];
      await redis.client().acl('SETUSER', 'scanner', 'on', '>pw', ...rights);
      open(`redis://scanner:pw@127.0.0.1:${redis.port}/0`);
      await ended();
      expect(lines.at(-1)).to.equal('info database 0 of Redis has no d2: keys (prime style 2)');
      await redis.client().acl('SETUSER', 'informed', 'on', '>pw', ...rights, '+info');
      open(`redis://informed:pw@127.0.0.1:${redis.port}/0`);
      await ended();
      expect(lines.at(-1)).to.equal(
        'info database 0 of Redis has no d2: keys (prime style 2); not empty: database 4',
      );
    });

    it('says nothing where its connection is lost, and is taken again with the next connection', async () => {
      const proxy = await startProxy(redis.port);
      try {
        await redis.load(redisFixture('style2'), 4);
        proxy.cutOn('info', 1);
        open(`${proxy.url}/9`);
        await ended();
        expect(lines.filter((line) => !line.startsWith('info connected'))).to.deep.equal([
          'debug redis does not say what keys it has',
        ]);
        const before = proxy.connections();
        proxy.cut();
        await eventually('it is taken again', () => lines.some((line) => line.startsWith('notice ')));
        expect(lines.find((line) => line.startsWith('notice'))).to.include('but database 4 has');
        // One for look-ups and one for the look around.
        expect(proxy.connections() - before).to.equal(2);
      } finally {
        await proxy.stop();
      }
    });
  });

  it('is taken by the program at its start and at a reload', async () => {
    await redis.load(redisFixture('style1'));
    await using program = await startProgram([
      ...['--redis-strategy', '2', '--redis-url', `${redis.url}/9`, '--log-level', 'notice'],
    ]);
    const line = await program.logged(/^database 9 of Redis has no d2: keys .* but d1: keys/);
    expect(line.level).to.equal('notice');
    await redis.load(redisFixture('style2'), 4);
    await redis.client().flushdb();
    await program.reload();
    await program.logged(/^database 9 of Redis has no d2: keys \(prime style 2\), but database 4 has/);
  });
});
