import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { examine } from '../../../lib/domain/examination.js';
import type { ServerName } from '../../../lib/domain/server-name.js';
import { makeTempDir, makeTestCa } from '../../support/certificates.js';
import { answer, listen, nextTurn } from '../../support/redis-proxy.js';
import { KNOWN, look, reasonOf, redisStage } from '../../support/redis-source.js';
import { redisFixture, startRedisServer, type RedisServer } from '../../support/redis-server.js';

/** A day after the recordings. */
const NOW_MS = Date.UTC(2026, 10, 25);

describe('the Redis source', () => {
  const stage = redisStage('style1', 'style2');

  for (const style of [1, 2] as const) {
    describe(`with prime style ${style}`, () => {
      it('finds every name that the manager primed, the wildcard literally', async () => {
        const source = stage.open(stage.redis.url, { style });
        const names = Object.keys(redisFixture(`style${style}`)).filter((key) => key.startsWith('d'));
        expect(names).to.have.length(21);
        for (const name of names.map((key) => key.slice(3))) {
          const result = await look(source, name);
          if (result.kind !== 'found') throw new Error(`${name}: ${JSON.stringify(result)}`);
          const verdict = examine(result.candidates[0] ?? [], name as ServerName, NOW_MS);
          const expected = /^(expired|future)\./.test(name) ? 'outdated' : 'usable';
          expect(verdict.kind, name).to.equal(expected);
        }
      });

      it('says absent of other names, also of those that a wildcard covers', async () => {
        const source = stage.open(stage.redis.url, { style });
        for (const name of ['nobody.example.com', 'a.wild.example.com']) {
          expect(await look(source, name)).to.deep.equal({ kind: 'absent' });
        }
      });

      const rounds = style === 1 ? 2 : 1;
      it(`takes ${rounds} round trip${rounds > 1 ? 's' : ''} on a warm connection, and one for an absent name`, async () => {
        const proxy = await stage.throughProxy();
        const source = stage.open(proxy.url, { style });
        await source.check();
        expect(await proxy.countRounds(() => look(source, KNOWN))).to.equal(rounds);
        expect(await proxy.countRounds(() => look(source, 'nobody.example.com'))).to.equal(1);
      });

      it('only reads', async () => {
        const probe = stage.redis.client();
        const sizeBefore = await probe.dbsize();
        const monitor = await stage.redis.monitor();
        const source = stage.open(stage.redis.url, { style });
        await source.check();
        await look(source, KNOWN);
        await look(source, 'nobody.example.com');
        // MONITOR is a stream of its own: what this says comes after everything before it.
        await probe.echo('end');
        while (!monitor.commands.some((command) => command.startsWith('echo'))) await nextTurn();
        monitor.stop();
        const verbs = new Set(monitor.commands.map((command) => command.split(' ')[0]?.toLowerCase()));
        verbs.delete('echo');
        expect([...verbs]).to.include('hmget');
        for (const verb of verbs) expect(verb).to.be.oneOf(['hello', 'select', 'hmget', 'get']);
        expect(await probe.dbsize()).to.equal(sizeBefore);
      });
    });
  }

  it('takes a recording of the full prime alone for half an entry of each name, not for an outage', async () => {
    const server = await stage.ownServer({});
    await server.load(redisFixture('style1-prime-only'));
    const result = await look(stage.open(server.url), KNOWN);
    expect(result).to.include({ kind: 'unavailable', scope: 'name' });
    expect(reasonOf(result)).to.include('p:4');
  });

  it('takes a value of the wrong type for half an entry, and names its key', async () => {
    const server = await stage.ownServer({});
    const client = server.client();
    await client.set('d1:text.test', 'text');
    await client.hset('d1:hash.test', { c: '1', p: '1', i: 'None' });
    await client.set('c:1', 'text');
    await client.hset('p:1', 'a', 'b');
    const source = stage.open(server.url);
    for (const [name, key] of [
      ['text.test', 'd1:text.test'],
      ['hash.test', 'p:1'],
    ] as const) {
      const result = await look(source, name);
      expect(result).to.include({ kind: 'unavailable', scope: 'name' });
      expect(reasonOf(result)).to.equal(`${key} holds a value of another type`);
    }
  });

  describe('by its URL', () => {
    const databases = [
      { title: 'reads database 9 when the URL names none', url: () => stage.redis.url, kind: 'found' },
      { title: 'reads database 9 of a bare slash', url: () => `${stage.redis.url}/`, kind: 'found' },
      { title: 'reads the database of the path', url: () => `${stage.redis.url}/0`, kind: 'absent' },
      { title: 'reads the database of the query', url: () => `${stage.redis.url}?db=0`, kind: 'absent' },
      {
        title: 'reads database 9 over a unix socket',
        url: () => `unix://${stage.redis.socketPath}`,
        kind: 'found',
      },
      { title: 'reads database 9 over an absolute path', url: () => stage.redis.socketPath, kind: 'found' },
      {
        title: 'reads another one over a unix socket',
        url: () => `unix://${stage.redis.socketPath}?db=3`,
        kind: 'absent',
      },
    ];
    for (const { title, url, kind } of databases) {
      it(title, async () => {
        const source = stage.open(url());
        expect((await look(source, KNOWN)).kind).to.equal(kind);
        expect(await source.check()).to.deep.equal({ ok: true });
      });
    }

    it('is unavailable where there is no database 9, instead of reading database 0', async () => {
      const server = await stage.ownServer({ args: ['--databases', '4'] });
      const source = stage.open(server.url);
      for (let time = 0; time < 2; time++) {
        const result = await look(source, KNOWN);
        expect(result).to.include({ kind: 'unavailable', scope: 'source' });
        expect(reasonOf(result)).to.include('DB index is out of range');
      }
      expect((await source.check()).ok).to.equal(false);
    });

    it('speaks TLS to rediss://, and says what is wrong with a certificate that it does not trust', async () => {
      const temp = await makeTempDir();
      stage.cleanUp(() => temp.remove());
      const caFile = join(temp.dir, 'ca.pem');
      const ca = await makeTestCa();
      const { chainPem, keyPem } = await ca.issue(['localhost']);
      await writeFile(caFile, ca.rootPem);
      const server = await listen(
        createTlsServer({ cert: chainPem, key: keyPem }, (client) => {
          client.on('error', () => undefined);
          const plain = connect(stage.redis.port, '127.0.0.1').on('error', () => undefined);
          client.pipe(plain).pipe(client);
        }),
      );
      stage.cleanUp(() => server.stop());
      const url = `rediss://localhost:${server.port}`;
      const result = await look(stage.open(url), KNOWN);
      expect(result).to.include({ kind: 'unavailable', scope: 'source' });
      expect(reasonOf(result)).to.match(/^cannot reach Redis at rediss:\/\/localhost:\d+\/9: .*certificate/);

      // Which authorities are trusted is settled when Node starts.
      const env = { ...process.env, NODE_EXTRA_CA_CERTS: caFile };
      const script = `
        import { RedisSource } from ${JSON.stringify(new URL('../../../lib/sources/redis/source.ts', import.meta.url))};
        const source = new RedisSource({ settings: { strategy: 1, url: ${JSON.stringify(url)} } });
        const signal = new AbortController().signal;
        console.log((await source.lookup(${JSON.stringify(KNOWN)}, { signal })).kind);
        await source.close();`;
      const args = ['--import', 'tsx', '--input-type=module', '--eval', script];
      const { stdout } = await promisify(execFile)(process.execPath, args, { env });
      expect(stdout.trim()).to.equal('found');
    });
  });

  describe('with a password', () => {
    const SECRET = 'correct-horse';
    let locked: RedisServer;
    before(async () => {
      locked = await startRedisServer({ password: SECRET });
      await locked.load(redisFixture('style1'));
      await locked
        .client()
        .call('ACL', 'SETUSER', 'reader', 'on', '>staple', '~*', '+select', '+hmget', '+get');
      await locked.client().call('ACL', 'SETUSER', 'blind', 'on', '>staple', '~*', '+select');
      await locked.client().call('ACL', 'SETUSER', 'partless', 'on', '>staple', '~*', '+select', '+hmget');
    });
    after(() => locked.stop());

    const doors = [
      { title: 'reads with the right password', user: `:${SECRET}` },
      { title: 'reads as a user that may do nothing but read', user: 'reader:staple' },
      { title: 'says that one is asked for when the URL has none', user: '', reason: /asks for a password/ },
      { title: 'says that a wrong one is refused', user: ':wrong-battery', reason: /refuses the password/ },
      {
        title: 'says that an unknown user is refused',
        user: 'nobody:wrong-battery',
        reason: /refuses the password/,
      },
      { title: 'says that a user may not read, in the check too', user: 'blind:staple', reason: /NOPERM/ },
      {
        title: 'says that a user may not read the parts of prime style 1, in the check too',
        user: 'partless:staple',
        reason: /NOPERM/,
      },
    ];
    for (const { title, user, reason } of doors) {
      it(title, async () => {
        const source = stage.open(`redis://${user === '' ? '' : `${user}@`}127.0.0.1:${locked.port}`);
        const [result, check] = [await look(source, KNOWN), await source.check()];
        if (reason === undefined) {
          expect(result.kind).to.equal('found');
          expect(check).to.deep.equal({ ok: true });
          return;
        }
        expect(result).to.include({ kind: 'unavailable', scope: 'source' });
        expect(reasonOf(result))
          .to.match(reason)
          .and.not.match(/staple|wrong-battery/);
        expect(check).to.deep.equal({ ok: false, reason: reasonOf(result) });
      });
    }

    it('keeps it out of the reason when the server quotes the command that it refuses', async () => {
      const url = await stage.serve((socket) => {
        answer(
          socket,
          (command) => `-ERR unknown command '${command}', with args beginning with: '${SECRET}'`,
        );
      });
      const source = stage.open(url.replace('//', `//:${SECRET}@`));
      expect(reasonOf(await look(source, KNOWN)))
        .to.include('unknown command')
        .and.not.include(SECRET);
    });
  });

  for (const reply of [
    'LOADING Redis is loading the dataset in memory',
    'MASTERDOWN Link with MASTER is down',
  ]) {
    it(`is unavailable as a whole while Redis answers ${reply.split(' ')[0] ?? ''}`, async () => {
      const url = await stage.serve((socket) => {
        answer(socket, (command) => (/^(hello|select)$/i.test(command) ? '+OK' : `-${reply}`));
      });
      const source = stage.open(url);
      const result = await look(source, KNOWN);
      expect(result).to.include({ kind: 'unavailable', scope: 'source' });
      expect(reasonOf(result)).to.equal(`Redis answers: ${reply}`);
      expect((await source.check()).ok).to.equal(false);
    });
  }
});
