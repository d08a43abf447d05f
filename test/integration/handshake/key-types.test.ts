/**
 * RSA and ECDSA: every client gets the certificate of the name it asks for, whatever the kind of the default's key.
 */
import { join } from 'node:path';
import { expect } from 'chai';
import { makeTempDir, makeTestCa, writePair, type TestCa } from '../../support/certificates.js';
import { handshake, type HandshakeOptions } from '../../support/client.js';
import { startProgram, type Program } from '../../support/program.js';

type ClientFlags = Omit<HandshakeOptions, 'port'>;

/** Clients that can use both kinds. */
const MODERN: Readonly<Record<string, ClientFlags>> = {
  'a TLS 1.2 client': { maxVersion: 'TLSv1.2' },
  'a TLS 1.3 client': { minVersion: 'TLSv1.3' },
};
const RSA_SIGNATURES = 'rsa_pss_rsae_sha256:rsa_pkcs1_sha256';
const RSA_ONLY: Readonly<Record<string, ClientFlags>> = {
  'a TLS 1.2 client with RSA suites only': {
    maxVersion: 'TLSv1.2',
    ciphers: 'ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384',
  },
  'a TLS 1.2 client with RSA key exchange only': { maxVersion: 'TLSv1.2', ciphers: 'AES128-GCM-SHA256' },
  'a TLS 1.2 client with RSA signatures only': { maxVersion: 'TLSv1.2', sigalgs: RSA_SIGNATURES },
  'a TLS 1.3 client with RSA signatures only': { minVersion: 'TLSv1.3', sigalgs: RSA_SIGNATURES },
};
const ECDSA_ONLY: Readonly<Record<string, ClientFlags>> = {
  'a TLS 1.2 client with ECDSA suites only': {
    maxVersion: 'TLSv1.2',
    ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256',
  },
  'a TLS 1.3 client with ECDSA signatures only': {
    minVersion: 'TLSv1.3',
    sigalgs: 'ecdsa_secp256r1_sha256',
  },
};

for (const kind of ['rsa', 'ec', 'both'] as const) {
  describe(`With a default certificate of kind ${kind}`, () => {
    let ca: TestCa;
    let files: Awaited<ReturnType<typeof makeTempDir>>;
    let program: Program;

    before(async () => {
      [ca, files] = await Promise.all([makeTestCa(), makeTempDir()]);
      const dir = join(files.dir, 'certs');
      // Chains of two with intermediates of their own: a mix-up between the two would not verify.
      const [forRsa, forEc] = [await ca.intermediate('For RSA'), await ca.intermediate('For ECDSA')];
      await writePair(join(dir, 'rsa'), await forRsa.issue(['rsa.test'], { type: 'rsa' }));
      await writePair(join(dir, 'ec'), await forEc.issue(['ec.test'], { type: 'ec' }));
      await writePair(join(dir, 'pair-rsa'), await forRsa.issue(['pair.test'], { type: 'rsa' }));
      await writePair(join(dir, 'pair-ec'), await forEc.issue(['pair.test'], { type: 'ec' }));
      const defaults: string[] = [];
      for (const type of kind === 'both' ? (['rsa', 'ec'] as const) : [kind]) {
        const pair = await ca.issue(['default.test'], { type });
        const { chainPath, keyPath } = await writePair(join(files.dir, `default-${type}`), pair);
        defaults.push('--default-cert', chainPath, '--default-key', keyPath);
      }
      program = await startProgram(['--cert-dir', dir, ...defaults]);
    });

    after(async () => {
      await program[Symbol.asyncDispose]();
      await files.remove();
    });

    const served = async (name: string | undefined, flags: ClientFlags): Promise<string> => {
      const { certificate, names } = await handshake({
        ...{ port: program.port, ca: ca.rootPem, rejectUnauthorized: true },
        ...(name === undefined ? { checkServerIdentity: () => undefined } : { servername: name }),
        ...flags,
      });
      return `${certificate.publicKey.asymmetricKeyType} ${names}`;
    };

    for (const [client, flags] of Object.entries({ ...MODERN, ...RSA_ONLY })) {
      it(`serves an RSA name to ${client}`, async () => {
        expect(await served('rsa.test', flags)).to.equal('rsa rsa.test');
      });
    }
    for (const [client, flags] of Object.entries({ ...MODERN, ...ECDSA_ONLY })) {
      it(`serves an ECDSA name to ${client}`, async () => {
        expect(await served('ec.test', flags)).to.equal('ec ec.test');
      });
      it(`serves the ECDSA certificate of a name with both to ${client}`, async () => {
        expect(await served('pair.test', flags)).to.equal('ec pair.test');
      });
    }
    for (const [client, flags] of Object.entries(RSA_ONLY)) {
      it(`serves the RSA certificate of a name with both to ${client}`, async () => {
        expect(await served('pair.test', flags)).to.equal('rsa pair.test');
      });
      it(`refuses ${client} on an ECDSA name, and does not show it the default`, async () => {
        const failure = await served('ec.test', flags).catch((error: unknown) => error);
        expect(failure).to.be.an.instanceOf(Error);
        expect((failure as NodeJS.ErrnoException).code).to.match(/ALERT_HANDSHAKE_FAILURE$/);
      });
    }
    it('serves the default to a client without a server name', async () => {
      const expected = kind === 'rsa' ? 'rsa default.test' : 'ec default.test';
      for (const flags of Object.values(MODERN)) expect(await served(undefined, flags)).to.equal(expected);
      if (kind === 'ec') return;
      for (const flags of Object.values(RSA_ONLY)) {
        expect(await served(undefined, flags)).to.equal('rsa default.test');
      }
    });
  });
}
