/**
 * RSA and ECDSA certificates of one name that are in different places: a client that speaks one kind only is served with it. The
 * clients are OpenSSL's.
 */
import { expect } from 'chai';
import type { CertificatePair } from '../../../lib/domain/certificate.js';
import { ADMIN_FLAGS, admin } from '../../support/admin.js';
import { sClient } from '../../support/openssl.js';
import { startProgram, type Program } from '../../support/program.js';
import { openStage, prime2, watchRedis, type RedisWatch, type Stage } from '../../support/stage.js';
import { fingerprintOf, visit } from '../../support/visit.js';

const RSA_ONLY = {
  'of TLS 1.2 with RSA suites and signatures': [
    ...['-tls1_2', '-cipher', 'ECDHE-RSA-AES128-GCM-SHA256', '-sigalgs', 'RSA+SHA256'],
  ],
  'of TLS 1.2 with RSA key exchange': ['-tls1_2', '-cipher', 'AES128-GCM-SHA256'],
  'of TLS 1.3 with RSA signatures': ['-tls1_3', '-sigalgs', 'RSA-PSS+SHA256'],
} as const;
const ECDSA_ONLY = ['-tls1_2', '-cipher', 'ECDHE-ECDSA-AES128-GCM-SHA256'];
const ANDROID = RSA_ONLY['of TLS 1.2 with RSA suites and signatures'];

describe('A name whose certificates of both kinds are in different places', () => {
  let stage: Stage;
  let program: Program;
  let watch: RedisWatch;
  before(async () => {
    stage = await openStage();
    watch = await watchRedis(stage.redis);
    program = await startProgram([
      ...[...ADMIN_FLAGS, ...stage.redisFlags(2), ...stage.managerFlags],
      ...['--wildcards', '--enable-autocert'],
    ]);
  });
  after(async () => {
    watch.stop();
    await program[Symbol.asyncDispose]();
    await stage.close();
  });

  /** Who is served with what; undefined where the handshake fails. */
  const served = async (name: string, flags: readonly string[]): Promise<string | undefined> =>
    (await sClient(program.port, '-servername', name, ...flags)).certificate?.fingerprint256;
  const modern = async (name: string): Promise<string> => (await visit(program, name)).fingerprint;
  const issue = (name: string, type: 'ec' | 'rsa'): Promise<CertificatePair> =>
    stage.ca.issue([name], { type });
  const asked = (name: string): number => stage.manager.requestsFor('GET', name).length;

  for (const [index, [client, flags]] of Object.entries(RSA_ONLY).entries()) {
    it(`serves the RSA one of the manager to a client ${client}`, async () => {
      const name = `rsa${index}.apart.test`;
      const [ec, rsa] = [await issue(name, 'ec'), await issue(name, 'rsa')];
      await prime2(stage.redis, name, ec);
      stage.manager.setCertificate(name, rsa);
      // Nobody needs it: the manager is not asked.
      expect(await modern(name)).to.equal(fingerprintOf(ec));
      expect(asked(name)).to.equal(0);
      expect(await served(name, flags)).to.equal(fingerprintOf(rsa));
      expect(await modern(name)).to.equal(fingerprintOf(ec));
      expect(await served(name, flags)).to.equal(fingerprintOf(rsa));
      expect(asked(name)).to.equal(1);
    });
  }

  it('serves it in the first handshake of the name already', async () => {
    const name = 'first.apart.test';
    const [ec, rsa] = [await issue(name, 'ec'), await issue(name, 'rsa')];
    await prime2(stage.redis, name, ec);
    stage.manager.setCertificate(name, rsa);
    expect(await served(name, ANDROID)).to.equal(fingerprintOf(rsa));
  });

  it('serves the ECDSA one of the manager to a client that speaks nothing else', async () => {
    const name = 'ec.apart.test';
    const [ec, rsa] = [await issue(name, 'ec'), await issue(name, 'rsa')];
    await prime2(stage.redis, name, rsa);
    stage.manager.setCertificate(name, ec);
    expect(await modern(name)).to.equal(fingerprintOf(rsa));
    expect(await served(name, ECDSA_ONLY)).to.equal(fingerprintOf(ec));
    expect(await served(name, ANDROID)).to.equal(fingerprintOf(rsa));
  });

  it('serves the RSA one of the wildcard', async () => {
    const [ec, rsa] = [await issue('a.below.test', 'ec'), await issue('*.below.test', 'rsa')];
    stage.manager.setCertificate('a.below.test', ec);
    await prime2(stage.redis, '*.below.test', rsa);
    expect(await modern('a.below.test')).to.equal(fingerprintOf(ec));
    expect(await served('a.below.test', ANDROID)).to.equal(fingerprintOf(rsa));
    expect(await modern('a.below.test')).to.equal(fingerprintOf(ec));
  });

  it('asks once for one that nobody has, and orders none', async () => {
    const name = 'alone.apart.test';
    const ec = await issue(name, 'ec');
    await prime2(stage.redis, name, ec);
    for (let i = 0; i < 3; i++) expect(await served(name, ANDROID)).to.equal(undefined);
    expect(await modern(name)).to.equal(fingerprintOf(ec));
    expect(asked(name)).to.equal(1);
    expect(await watch.lookups(name)).to.equal(2);
    expect(stage.manager.requests.filter(({ method }) => method === 'POST')).to.deep.equal([]);
  });

  it('withdraws both when the name is expired', async () => {
    const name = 'gone.apart.test';
    const [ec, rsa] = [await issue(name, 'ec'), await issue(name, 'rsa')];
    await prime2(stage.redis, name, ec);
    stage.manager.setCertificate(name, rsa);
    await using other = await startProgram([
      ...[...ADMIN_FLAGS, ...stage.redisFlags(2), ...stage.managerFlags, '--expire-workers', 'true'],
    ]);
    const flags = ['-servername', name, ...ANDROID];
    expect((await sClient(other.port, ...flags)).certificate?.fingerprint256).to.equal(fingerprintOf(rsa));
    const renewed = await issue(name, 'rsa');
    stage.manager.setCertificate(name, renewed);
    await admin(other, `/expire/domain/${name}`);
    expect((await sClient(other.port, ...flags)).certificate?.fingerprint256).to.equal(
      fingerprintOf(renewed),
    );
  });
});
