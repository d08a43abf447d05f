/**
 * ALPN: HTTP/1.1 is what is spoken.
 */
import { expect } from 'chai';
import { connectTls, handshake } from '../../support/client.js';
import { sClient } from '../../support/openssl.js';
import { startProgram, type Program } from '../../support/program.js';

describe('ALPN', () => {
  let program: Program;
  before(async () => {
    program = await startProgram();
  });
  after(() => program[Symbol.asyncDispose]());

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const flags = { servername: 'alpn.test', minVersion: version, maxVersion: version } as const;

    for (const offered of [
      ['http/1.1'],
      ['h2', 'http/1.1'],
      ['http/1.1', 'h2'],
      ['spdy/3', 'x', 'http/1.1'],
    ]) {
      it(`chooses http/1.1 of ${offered.join(', ')} with ${version}, and speaks it`, async () => {
        const socket = await connectTls({ ...flags, port: program.port, ALPNProtocols: offered });
        expect(socket.alpnProtocol).to.equal('http/1.1');
        socket.write('GET / HTTP/1.1\r\nHost: alpn.test\r\nConnection: close\r\n\r\n');
        let page = '';
        for await (const chunk of socket) page += String(chunk);
        expect(page).to.match(/^HTTP\/1\.1 200/);
      });
    }

    it(`does without if the client does, with ${version}`, async () => {
      expect((await handshake({ ...flags, port: program.port })).alpn).to.equal(false);
    });

    for (const offered of [['h2'], ['h2c', 'spdy/3'], ['HTTP/1.1']]) {
      it(`is a fatal alert for a client of ${version} that offers only ${offered.join(', ')}`, async () => {
        const count = failures();
        const failure = await handshake({ ...flags, port: program.port, ALPNProtocols: offered }).catch(
          (error: unknown) => error,
        );
        expect((failure as NodeJS.ErrnoException).code).to.equal(
          'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL',
        );
        await program.logged('handshake failed', { reason: 'tls-error' }, count + 1);
      });
    }
  }

  it('is a fatal alert for OpenSSL too: no_application_protocol', async () => {
    const { output, certificate } = await sClient(program.port, '-servername', 'alpn.test', '-alpn', 'h2');
    expect(output).to.match(/SSL alert number 120/);
    expect(certificate).to.equal(undefined);
  });

  function failures(): number {
    return program.log.filter(({ reason }) => reason === 'tls-error').length;
  }
});
