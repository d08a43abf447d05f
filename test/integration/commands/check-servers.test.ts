/**
 * `check` with a real Redis and with managers: what is wrong with them is found, with what to do about it.
 */
import { expect } from 'chai';
import { writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { makeTempDir, makeTestCa } from '../../support/certificates.js';
import { check as checkIn, findingsOf as of, type Checked } from '../../support/check-stage.js';
import { startFakeManager, type FakeManager } from '../../support/fake-manager.js';
import { redisFixture, startRedisServer, type RedisServer } from '../../support/redis-server.js';
import { unusedPort } from '../../support/unused-port.js';

const PASSWORD = 'p4ss-w0rd';
/** A check that does not answer for ten seconds is cut off; with the start of a process and a loaded machine beside it. */
const BOUNDED_MS = 25_000;

describe('check', () => {
  let cwd: string;
  let remove: () => Promise<void>;
  const check = (flags: readonly string[]): Promise<Checked> => checkIn(flags, { cwd });

  beforeEach(async () => {
    ({ dir: cwd, remove } = await makeTempDir());
  });
  afterEach(() => remove());

  describe('of Redis', () => {
    let redis: RedisServer;

    before(async () => {
      redis = await startRedisServer({ password: PASSWORD });
      await redis.load(redisFixture('style2'));
    });
    after(() => redis.stop());

    const urlOf = (password: string, database = 9): string =>
      `redis://:${password}@127.0.0.1:${redis.port}/${database}`;
    const checkRedis = async (url: string, strategy = '2'): Promise<string[]> => {
      const checked = await check(['--redis-strategy', strategy, '--redis-url', url]);
      expect(checked.output).not.to.contain(PASSWORD);
      return of(checked, 'redis');
    };

    it('is content with the right one, and writes nothing into it', async () => {
      const monitor = await redis.monitor();
      expect(await checkRedis(urlOf(PASSWORD))).to.deep.equal([
        'ok it answers, and is read as prime style 2',
      ]);
      monitor.stop();
      const verbs = monitor.commands.map((command) => command.split(' ')[0]?.toLowerCase());
      expect(verbs).to.include('scan');
      const reads = ['auth', 'select', 'ping', 'hmget', 'scan', 'info', 'hexists', 'client', 'hello'];
      expect(verbs.filter((verb) => !reads.includes(verb ?? ''))).to.deep.equal([]);
    });

    it('finds a wrong password, and none', async () => {
      expect(await checkRedis(urlOf('wr0ng'))).to.deep.equal([
        'error Redis refuses the password (or user name) of the Redis URL → correct it in --redis-url (requirepass, or the user of an ACL)',
      ]);
      expect((await checkRedis(redis.url))[0]).to.match(
        /^error Redis asks for a password, and the Redis URL has none → put it into --redis-url/,
      );
    });

    it('finds a wrong database', async () => {
      expect((await checkRedis(urlOf(PASSWORD, 3)))[0]).to.match(
        /^error database 3 of Redis has no d2: .*but database 9 has.* → name database 9 at the end of --redis-url$/,
      );
      expect((await checkRedis(urlOf(PASSWORD, 99)))[0]).to.match(
        /^error .*DB index is out of range.* → correct the database/,
      );
    });

    it('finds a wrong prime style', async () => {
      expect((await checkRedis(urlOf(PASSWORD), '1'))[0]).to.match(
        /^error .*is the manager's prime style 2.* → --redis-strategy 2$/,
      );
    });

    it('finds one that is down, and is done in time with one that hangs', async () => {
      const port = await unusedPort();
      expect((await checkRedis(`redis://127.0.0.1:${port}`))[0]).to.match(
        /^error cannot reach Redis at .*ECONNREFUSED.* → see that Redis runs/,
      );
      const startedAtMs = performance.now();
      redis.freeze();
      try {
        expect((await checkRedis(urlOf(PASSWORD)))[0]).to.match(/^error .*did not answer/);
      } finally {
        redis.thaw();
      }
      expect(performance.now() - startedAtMs).to.be.lessThan(BOUNDED_MS);
    });
  });

  describe('of the manager', () => {
    const started: (() => Promise<void>)[] = [];
    const manager = async (options: Parameters<typeof startFakeManager>[0] = {}): Promise<FakeManager> => {
      const fake = await startFakeManager(options);
      started.push(() => fake.close());
      return fake;
    };
    afterEach(async () => {
      for (const close of started.splice(0)) await close();
    });

    const checkManager = async (url: string, ...flags: string[]): Promise<string[]> =>
      of(await check(['--fallback-server', url, ...flags]), 'manager');

    it('is content with each generation under its prefix, primes nothing and orders nothing', async () => {
      const versions = [
        ['1.0', '1.0 or later'],
        ['0.5.0', '0.4 or 0.5'],
        ['0.4.0', '0.4 or 0.5'],
      ] as const;
      for (const [version, text] of versions) {
        const { root, requests } = await manager({ version });
        expect(await checkManager(root, '--enable-autocert', '--autocert-allow', 'a.test')).to.deep.equal([
          `ok it answers as a manager does, under the prefix of version ${text}`,
        ]);
        expect(requests.map(({ method, url }) => `${method} ${url}`)).to.deep.equal([
          `GET ${new URL(root).pathname}/domain/check.peter-sslers-proxy.invalid/config.json`,
        ]);
      }
    });

    it('finds a wrong prefix, and the right one', async () => {
      const { root, port } = await manager();
      expect((await checkManager(root.replace('peter_sslers', 'admin')))[0]).to.equal(
        `error it answered 404 for the path itself: the prefix in --fallback-server is probably wrong (/.well-known/peter_sslers from 1.0 on, /.well-known/admin before) → --fallback-server http://127.0.0.1:${port}/.well-known/peter_sslers: a manager answers there`,
      );
    });

    it('finds that it is another server', async () => {
      const server: Server = createServer((_, response) => response.writeHead(404).end('<h1>no</h1>'));
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      started.push(() => new Promise((resolve) => server.close(() => resolve())));
      const { port } = server.address() as AddressInfo;
      expect((await checkManager(`http://127.0.0.1:${port}/.well-known/admin`))[0]).to.equal(
        'error it answered 404 without the JSON of a manager: the address or its prefix is probably wrong → correct the path in --fallback-server: it is the admin_prefix of the manager',
      );
    });

    it('finds wrong credentials, and shows none', async () => {
      const { root } = await manager({ credentials: `peter:${PASSWORD}` });
      const url = root.replace('://', `://peter:${PASSWORD}x@`);
      const checked = await check(['--fallback-server', url]);
      expect(of(checked, 'manager')[0]).to.match(
        /^error it answered 401: the credentials are missing or wrong → put user:password/,
      );
      expect(checked.output).not.to.contain(PASSWORD);
      const right = root.replace('://', `://peter:${PASSWORD}@`);
      expect((await checkManager(right))[0]).to.match(/^ok /);
    });

    it('finds one that is down, one whose certificate is not trusted, and is done in time with one that hangs', async () => {
      const port = await unusedPort();
      expect((await checkManager(`http://127.0.0.1:${port}/.well-known/admin`))[0]).to.match(
        /^error it refuses the connection/,
      );
      const ca = await makeTestCa();
      const { chainPem, keyPem } = await ca.issue(['127.0.0.1', 'localhost']);
      const secure = await manager({ tls: { cert: chainPem, key: keyPem } });
      const url = secure.root.replace('127.0.0.1', 'localhost');
      expect((await checkManager(url))[0]).to.match(
        /^error its certificate is not trusted .* → name the authority of its certificate with --fallback-ca FILE$/,
      );
      await writeFile(join(cwd, 'ca.pem'), ca.rootPem);
      expect((await checkManager(url, '--fallback-ca', 'ca.pem'))[0]).to.match(/^ok /);
      const hung = await manager();
      const path = `${new URL(hung.root).pathname}/domain/check.peter-sslers-proxy.invalid/config.json`;
      hung.answer('GET', path, { hang: true });
      hung.answer('GET', 'check.peter-sslers-proxy.invalid', { hang: true });
      const startedAtMs = performance.now();
      expect((await checkManager(hung.root))[0]).to.match(/^error it did not answer in time/);
      expect(performance.now() - startedAtMs).to.be.lessThan(BOUNDED_MS);
    });

    it('compares its clock', async () => {
      const { root, ...fake } = await manager();
      const headers = { date: new Date(Date.now() + 600_000).toUTCString() };
      const body = { message: 'the domain was not found', code: '404 Not Found', title: 'Not Found' };
      fake.answer('GET', 'check.peter-sslers-proxy.invalid', { status: 404, headers, body });
      const checked = await check(['--fallback-server', root]);
      expect(of(checked, 'clock')[0]).to.match(
        /^warning it is (?:59\d|60\d) s behind the manager's → set the one/,
      );
      expect(of(checked, 'manager')[0]).to.match(/^ok /);
    });
  });
});
