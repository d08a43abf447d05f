/**
 * Which tier answers a handshake: each has one name of its own here.
 */
import { join } from 'node:path';
import { expect } from 'chai';
import { makeTempDir, makeTestCa, writePair, type TestCa } from '../../support/certificates.js';
import { handshake, request } from '../../support/client.js';
import { startFakeManager, type FakeManager } from '../../support/fake-manager.js';
import { startProgram, type Program } from '../../support/program.js';
import { redisFixture, startRedisServer, type RedisServer } from '../../support/redis-server.js';

describe('The tier that answers a handshake', () => {
  let ca: TestCa;
  let redis: RedisServer;
  let manager: FakeManager;
  let files: Awaited<ReturnType<typeof makeTempDir>>;
  let program: Program;

  before(async () => {
    [ca, redis, manager, files] = await Promise.all([
      makeTestCa({ commonName: 'Tier Root' }),
      startRedisServer(),
      startFakeManager(),
      makeTempDir(),
    ]);
    await redis.load(redisFixture('style2'));
    await writePair(join(files.dir, 'certs/folder.example.org'), await ca.issue(['folder.example.org']));
    manager.setCertificate('managed.example.org', await ca.issue(['managed.example.org']));
    // One name in the LRU: the name before it is then answered from the primary's cache.
    program = await startProgram([
      ...['--cert-dir', join(files.dir, 'certs'), '--internal-ca', join(files.dir, 'ca')],
      ...['--redis-strategy', '2', '--redis-url', redis.url, '--fallback-server', manager.root],
      ...['--lru-maxitems', '1'],
    ]);
  });

  after(async () => {
    await program[Symbol.asyncDispose]();
    await Promise.all([redis.stop(), manager.close(), files.remove()]);
  });

  const TIERS = [
    { tier: 'directory', name: 'folder.example.org', issuer: 'Tier Root' },
    { tier: 'redis', name: 'fresh.example.com', issuer: 'Pebble' },
    { tier: 'manager', name: 'managed.example.org', issuer: 'Tier Root' },
    { tier: 'ca', name: 'minted.test', issuer: 'peter-sslers-proxy' },
  ];
  for (const { tier, name, issuer } of TIERS) {
    it(`is ${tier} for a name that it has, then the LRU, then the cache of the primary`, async () => {
      const { port } = program;
      const first = await handshake({ port, servername: name });
      expect(first.names.split(', ')).to.include(name);
      expect(first.certificate.issuer).to.include(issuer);
      const line = await program.logged('handshake', { name, tier });
      expect(line.level).to.equal('debug');
      expect(line['ms']).to.be.a('number');

      const again = await handshake({ port, servername: name });
      await program.logged('handshake', { name, tier: 'lru' });
      await handshake({ port, servername: 'another.test' });
      const later = await handshake({ port, servername: name });
      await program.logged('handshake', { name, tier: 'cache' });
      for (const { certificate } of [again, later]) {
        expect(certificate.fingerprint256).to.equal(first.certificate.fingerprint256);
      }
    });
  }

  it('is the default for a name that nobody has, and for a client that gives none', async () => {
    const { port } = program;
    const unknown = await handshake({ port, servername: 'nobody.example.net' });
    expect(unknown.names).to.equal('default.invalid');
    await program.logged('handshake', { name: 'nobody.example.net', tier: 'default' });
    const nameless = await handshake({ port });
    expect(nameless.certificate.fingerprint256).to.equal(unknown.certificate.fingerprint256);
    await program.until('the nameless handshake is in the log', ({ log }) =>
      log.some((line) => line.msg === 'handshake' && line['tier'] === 'default' && !('name' in line)),
    );
  });

  it('is what the information page says', async () => {
    const answer = async (name: string): Promise<string | undefined> =>
      /Answered by +(\S+)/.exec((await request({ port: program.port, name })).body)?.[1];
    expect(await answer('page.test')).to.equal('ca');
    expect(await answer('page.test')).to.equal('lru');
    expect(await answer('unknown.example.net')).to.equal('default');
    expect(await answer('page.test')).to.be.oneOf(['lru', 'cache']);
  });
});
