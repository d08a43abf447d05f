/**
 * Private keys in every form that a manager hands out, as it wrote them into Redis, with chains that OpenSSL verifies.
 */
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { handshake } from '../../support/client.js';
import { sClient } from '../../support/openssl.js';
import { startProgram, type Program } from '../../support/program.js';
import { redisFixture, startRedisServer, type RedisServer } from '../../support/redis-server.js';

const ROOT = fileURLToPath(new URL('../../fixtures/manager/ca-root.pem', import.meta.url));

const KEYS = [
  { name: 'fresh.example.com', form: 'SEC1', begins: '-----BEGIN EC PRIVATE KEY-----', type: 'ec' },
  { name: 'ecpkcs8.example.com', form: 'PKCS#8, EC', begins: '-----BEGIN PRIVATE KEY-----', type: 'ec' },
  {
    name: 'ecparams.example.com',
    form: 'SEC1 after its parameters',
    begins: '-----BEGIN EC PARAMETERS-----',
    type: 'ec',
  },
  {
    name: 'rsa1.example.com',
    form: 'PKCS#1, as ordered',
    begins: '-----BEGIN RSA PRIVATE KEY-----',
    type: 'rsa',
  },
  {
    name: 'pkcs1.example.com',
    form: 'PKCS#1, as imported',
    begins: '-----BEGIN RSA PRIVATE KEY-----',
    type: 'rsa',
  },
  { name: 'pkcs8.example.com', form: 'PKCS#8, RSA', begins: '-----BEGIN PRIVATE KEY-----', type: 'rsa' },
] as const;

describe('A private key from Redis', () => {
  const fixture = redisFixture('style2');
  let redis: RedisServer;
  let program: Program;

  before(async () => {
    redis = await startRedisServer();
    await redis.load(fixture);
    program = await startProgram(['--redis-strategy', '2', '--redis-url', redis.url]);
  });

  after(async () => {
    await program[Symbol.asyncDispose]();
    await redis.stop();
  });

  for (const { name, form, begins, type } of KEYS) {
    it(`is served in the form ${form}, with a chain that verifies`, async () => {
      const entry = fixture[`d2:${name}`];
      const pem = entry?.type === 'hash' ? entry.value['p'] : undefined;
      expect(pem?.trimStart().startsWith(begins), 'the form of the recorded key').to.equal(true);

      for (const version of ['-tls1_2', '-tls1_3']) {
        const { certificate, verifyCode, exitCode, output } = await sClient(
          program.port,
          ...[
            '-servername',
            name,
            '-CAfile',
            ROOT,
            '-verify_hostname',
            name,
            '-verify_return_error',
            version,
          ],
        );
        expect(exitCode, output).to.equal(0);
        expect(verifyCode, output).to.equal(0);
        expect(certificate?.publicKey.asymmetricKeyType).to.equal(type);
      }
      const { names } = await handshake({ port: program.port, servername: name });
      expect(names.split(', ')).to.include(name);
      await program.logged('handshake', { name, tier: 'redis' });
    });
  }

  it('fails against another root: OpenSSL really looks', async () => {
    const { verifyCode } = await sClient(
      program.port,
      '-servername',
      'fresh.example.com',
      '-no-CAfile',
      '-no-CApath',
    );
    expect(verifyCode).to.be.greaterThan(0);
  });
});
