/**
 * ALPN: HTTP/2 before HTTP/1.1, whatever the client's order.
 */
import { expect } from 'chai';
import { once } from 'node:events';
import { connect as connectHttp2, type IncomingHttpHeaders } from 'node:http2';
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

    for (const offered of [['http/1.1'], ['spdy/3', 'x', 'http/1.1']]) {
      it(`chooses http/1.1 of ${offered.join(', ')} with ${version}, and speaks it`, async () => {
        const socket = await connectTls({ ...flags, port: program.port, ALPNProtocols: offered });
        expect(socket.alpnProtocol).to.equal('http/1.1');
        socket.write('GET / HTTP/1.1\r\nHost: alpn.test\r\nConnection: close\r\n\r\n');
        let page = '';
        for await (const chunk of socket) page += String(chunk);
        expect(page).to.match(/^HTTP\/1\.1 200/);
      });
    }

    for (const offered of [['http/1.0'], ['http/1.0', 'http/1.1'], ['http/0.9', 'http/1.0']]) {
      const chosen = offered.includes('http/1.1') ? 'http/1.1' : 'http/1.0';
      it(`chooses ${chosen} of ${offered.join(', ')} with ${version}, and speaks HTTP/1.0`, async () => {
        const socket = await connectTls({ ...flags, port: program.port, ALPNProtocols: offered });
        expect(socket.alpnProtocol).to.equal(chosen);
        socket.write('GET / HTTP/1.0\r\n\r\n');
        let page = '';
        for await (const chunk of socket) page += String(chunk);
        expect(page).to.match(/^HTTP\/1\.1 200/);
      });
    }

    for (const offered of [['h2'], ['h2', 'http/1.1'], ['http/1.1', 'h2']]) {
      it(`chooses h2 of ${offered.join(', ')} with ${version}, and speaks it`, async () => {
        const socket = await connectTls({ ...flags, port: program.port, ALPNProtocols: offered });
        expect(socket.alpnProtocol).to.equal('h2');
        const session = connectHttp2('https://alpn.test', { createConnection: () => socket });
        const stream = session.request({ ':path': '/' });
        const [headers] = (await once(stream, 'response')) as [IncomingHttpHeaders];
        expect(headers[':status']).to.equal(200);
        session.destroy();
      });
    }

    it(`does without if the client does, with ${version}`, async () => {
      expect((await handshake({ ...flags, port: program.port })).alpn).to.equal(false);
    });

    for (const offered of [['h2c', 'spdy/3'], ['HTTP/1.1'], ['H2']]) {
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
    const { output, certificate } = await sClient(program.port, '-servername', 'alpn.test', '-alpn', 'imap');
    expect(output).to.match(/SSL alert number 120/);
    expect(certificate).to.equal(undefined);
  });

  function failures(): number {
    return program.log.filter(({ reason }) => reason === 'tls-error').length;
  }
});
