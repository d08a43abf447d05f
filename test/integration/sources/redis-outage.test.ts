import { expect } from 'chai';
import type { ServerName } from '../../../lib/domain/server-name.js';
import type { RedisSource } from '../../../lib/sources/redis/source.js';
import { answer, nextTurn } from '../../support/redis-proxy.js';
import { KNOWN, look, reasonOf, redisStage } from '../../support/redis-source.js';
import { redisFixture } from '../../support/redis-server.js';

const SHORT_MS = 150;

describe('the Redis source in bad times', () => {
  const stage = redisStage('style1');

  describe('when Redis is away', () => {
    it('is unavailable at once while nobody listens, and finds names as soon as Redis is there', async () => {
      const server = await stage.ownServer({});
      await server.kill();
      const source = stage.open(server.url, { timeoutMs: 60_000 }); // waiting for it would fail the test
      for (let time = 0; time < 3; time++) {
        const result = await look(source, KNOWN);
        expect(result).to.include({ kind: 'unavailable', scope: 'source' });
        expect(reasonOf(result)).to.include(`cannot reach Redis at ${server.url}/9: connect ECONNREFUSED`);
      }
      expect((await source.check()).ok).to.equal(false);
      await server.restart();
      await server.load(redisFixture('style1'));
      expect((await look(source, KNOWN)).kind).to.equal('found');
      expect(await source.check()).to.deep.equal({ ok: true });
    });

    it('is unavailable where the unix socket is missing', async () => {
      const result = await look(stage.open('unix:///nowhere/redis.sock'), KNOWN);
      expect(reasonOf(result)).to.match(
        /^cannot reach Redis at unix:\/\/\/nowhere\/redis.sock\?db=9: connect ENOENT/,
      );
    });

    it('finds names before and after a restart, and is unavailable in between', async () => {
      const server = await stage.ownServer({});
      await server.load(redisFixture('style2'));
      const source = stage.open(server.url, { style: 2 });
      expect((await look(source, KNOWN)).kind).to.equal('found');
      await server.kill();
      expect((await look(source, KNOWN)).kind).to.equal('unavailable');
      await server.restart();
      await server.load(redisFixture('style2'));
      expect((await look(source, KNOWN)).kind).to.equal('found');
    });

    for (const { style, rights } of [
      { style: 1, rights: ['~d1:*', '~c:*', '~p:*', '~i:*', '+hmget', '+get', '+select'] },
      { style: 2, rights: ['~d2:*', '+hmget', '+select'] },
    ] as const) {
      it(`answers its check again after an outage where its user may read alone (prime style ${style})`, async () => {
        const args = ['--user', 'proxy', 'on', '>staple', ...rights];
        const server = await stage.ownServer({ args });
        const source = stage.open(server.url.replace('//', '//proxy:staple@'), { style });
        await server.load(redisFixture(`style${style}`));
        expect((await look(source, KNOWN)).kind).to.equal('found');
        await server.kill();
        expect((await source.check()).ok).to.equal(false);
        await server.restart();
        await server.load(redisFixture(`style${style}`));
        expect(await source.check()).to.deep.equal({ ok: true });
        expect((await look(source, KNOWN)).kind).to.equal('found');
      });
    }

    it('is unavailable after its time-out when a server accepts and never answers, for all look-ups alike', async () => {
      let connections = 0;
      const source = stage.open(await stage.serve(() => connections++), { timeoutMs: SHORT_MS });
      const started = performance.now();
      const results = await Promise.all(Array.from({ length: 20 }, () => look(source, KNOWN)));
      expect(performance.now() - started).to.be.lessThan(SHORT_MS + 2_000);
      for (const result of results) {
        expect(result).to.include({ kind: 'unavailable', scope: 'source' });
        expect(reasonOf(result)).to.match(/did not answer within 150 ms|Socket timeout/);
      }
      expect((await source.check()).ok).to.equal(false);
      expect(connections, 'look-ups share a connection').to.be.within(1, 4);
    });

    it('is unavailable while a connected Redis hangs, and finds names when it goes on', async () => {
      const server = await stage.ownServer({});
      await server.load(redisFixture('style1'));
      const source = stage.open(server.url, { timeoutMs: SHORT_MS });
      expect((await look(source, KNOWN)).kind).to.equal('found');
      server.freeze();
      for (let time = 0; time < 3; time++) expect((await look(source, KNOWN)).kind).to.equal('unavailable');
      server.thaw();
      const patient = stage.open(server.url);
      expect((await look(patient, KNOWN)).kind).to.equal('found');
      expect((await look(source, KNOWN)).kind).to.equal('found');
    });

    it('gives up a connection that is never answered, and finds names over the next', async () => {
      const proxy = await stage.throughProxy();
      proxy.hold();
      const source = stage.open(proxy.url, { timeoutMs: SHORT_MS });
      expect((await look(source, KNOWN)).kind).to.equal('unavailable');
      await proxy.nextConnection();
      proxy.release();
      const result = await source.check();
      expect(result).to.deep.equal({ ok: true });
      expect((await look(source, KNOWN)).kind).to.equal('found');
    });

    // A time-out of a minute: only what is tested can end the look-up.
    const endings = [
      {
        how: 'its caller gives it up',
        end: (_: RedisSource, caller: AbortController) => {
          caller.abort();
          return Promise.resolve();
        },
      },
      { how: 'the source is closed', end: (source: RedisSource) => source.close() },
    ];
    for (const { how, end } of endings) {
      for (const [state, greeting] of [
        ['connecting', undefined],
        ['waiting for an answer', '+OK'],
      ] as const) {
        it(`ends a look-up that is ${state} when ${how}`, async () => {
          let asked: (() => void) | undefined;
          const isAsked = new Promise<void>((resolve) => (asked = resolve));
          const url = await stage.serve((socket) => {
            answer(socket, (command) => {
              if (greeting === undefined || command === 'hmget') asked?.();
              return command === 'hmget' ? undefined : greeting;
            });
          });
          const source = stage.open(url, { timeoutMs: 60_000 });
          const caller = new AbortController();
          const result = source.lookup(KNOWN as ServerName, { signal: caller.signal });
          await isAsked;
          await end(source, caller);
          expect(await result).to.include({ kind: 'unavailable', scope: 'source' });
        });
      }
    }

    it('is unavailable when every connection is closed at once, and asks no more than twice', async () => {
      let connections = 0;
      const url = await stage.serve((socket) => {
        connections++;
        socket.destroy();
      });
      const source = stage.open(url);
      expect(await look(source, KNOWN)).to.include({ kind: 'unavailable', scope: 'source' });
      expect(connections).to.be.at.most(2);
    });
  });

  describe('with a connection that comes and goes', () => {
    it('lets the first look-ups wait for the connection', async () => {
      const proxy = await stage.throughProxy();
      proxy.hold();
      const source = stage.open(proxy.url, { timeoutMs: 60_000 });
      const results = [look(source, KNOWN), look(source, 'nobody.example.com'), source.check()] as const;
      await proxy.nextConnection();
      proxy.release();
      const [known, unknown, check] = await Promise.all(results);
      expect([known.kind, unknown.kind, check.ok]).to.deep.equal(['found', 'absent', true]);
    });

    it('fails no look-up when Redis has closed the idle connection', async () => {
      const source = stage.open(stage.redis.url);
      await source.check();
      for (let time = 0; time < 5; time++) {
        await stage.redis.client().call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
        const results = await Promise.all([look(source, KNOWN), look(source, 'nobody.example.com')]);
        expect(results.map(({ kind }) => kind)).to.deep.equal(['found', 'absent']);
      }
    });

    for (const question of ['hmget', 'get']) {
      it(`asks again when the connection ends before ${question} is answered`, async () => {
        const proxy = await stage.throughProxy();
        const source = stage.open(proxy.url);
        await source.check();
        proxy.cutOn(question, 1);
        expect((await look(source, KNOWN)).kind).to.equal('found');
        expect(proxy.connections()).to.equal(2);
      });
    }

    it('is unavailable when that happens again to the second connection', async () => {
      const proxy = await stage.throughProxy();
      const source = stage.open(proxy.url);
      await source.check();
      proxy.cutOn('hmget', 2);
      expect(await look(source, KNOWN)).to.include({ kind: 'unavailable', scope: 'source' });
      expect((await look(source, KNOWN)).kind).to.equal('found');
    });

    it('connects again by itself', async () => {
      const proxy = await stage.throughProxy();
      const source = stage.open(proxy.url);
      await source.check();
      const next = proxy.nextConnection();
      proxy.cut();
      await next;
      expect((await look(source, KNOWN)).kind).to.equal('found');
      expect(proxy.connections()).to.equal(2);
    });

    it('leaves no connection behind when it is closed, also in the middle of connecting', async () => {
      const proxy = await stage.throughProxy();
      for (const isConnected of [true, false]) {
        const source = stage.open(proxy.url);
        if (isConnected) await source.check();
        await source.close();
      }
      while (proxy.openConnections() > 0) await nextTurn();
    });
  });
});
