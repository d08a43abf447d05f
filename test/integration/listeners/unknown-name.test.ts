/**
 * `--unknown-name`: what a client gets whose name has no certificate.
 */
import { expect } from 'chai';
import { startBackend } from '../../support/backend.js';
import { handshake, request } from '../../support/client.js';
import { sClient } from '../../support/openssl.js';
import { startProgram } from '../../support/program.js';

const flags = ['--internal-ca', 'ca'];

describe('--unknown-name', () => {
  it('reject sends the alert unrecognized_name, which OpenSSL and Node tell', async () => {
    await using program = await startProgram([...flags, '--unknown-name', 'reject']);
    for (const version of ['-tls1_2', '-tls1_3']) {
      const { output, exitCode, certificate } = await sClient(
        program.port,
        version,
        ...['-servername', 'unknown.example'],
      );
      expect(output).to.match(/unrecognized name/i);
      expect(output).to.match(/alert number 112/);
      expect(exitCode).not.to.equal(0);
      expect(certificate).to.equal(undefined);
    }
    const error = await handshake({ port: program.port, servername: 'unknown.example' }).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).to.have.property('code', 'ERR_SSL_TLSV1_UNRECOGNIZED_NAME');
    await program.logged('handshake failed', { reason: 'unknown-name' });
  });

  it('reject lets everybody else in: names with a certificate, and clients that send none', async () => {
    await using program = await startProgram([...flags, '--unknown-name', 'reject']);
    expect((await handshake({ port: program.port, servername: 'a.localhost' })).names).to.equal(
      'a.localhost',
    );
    expect((await handshake({ port: program.port })).names).to.equal('default.invalid');
    const unnamed = await request({ port: program.port });
    expect(unnamed.status).to.equal(421);
  });

  it('421 and serve answer with the default certificate', async () => {
    await using backend = await startBackend((_, response) => response.end('hello'));
    for (const [policy, status] of [
      ['421', 421],
      ['serve', 200],
    ] as const) {
      await using program = await startProgram([
        ...flags,
        '--unknown-name',
        policy,
        '--backend',
        backend.url,
      ]);
      const { port } = program;
      expect((await handshake({ port, servername: 'unknown.example' })).names).to.equal('default.invalid');
      expect((await request({ port, name: 'unknown.example' })).status).to.equal(status);
      expect((await request({ port, name: 'a.localhost' })).status).to.equal(200);
    }
    expect(backend.requests).to.have.length(3);
  });
});
