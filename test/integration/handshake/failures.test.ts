/**
 * What the log says of handshakes that fail, at info, with clients as they are.
 */
import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { handshake } from '../../support/client.js';
import { sClient } from '../../support/openssl.js';
import { startProgram, type LogLine, type Program } from '../../support/program.js';
import { RawClient } from '../../support/raw-tls.js';

describe('A handshake that fails is said at info:', () => {
  let program: Program;
  // One for each test: ten lines a second are written, no more.
  beforeEach(async () => {
    program = await startProgram(['--log-level', 'info', '--internal-ca', 'ca']);
  });
  afterEach(() => program[Symbol.asyncDispose]());

  const SNI = ['-servername', 'a.test'];
  /** The one line that something leads to. */
  async function lineOf(act: () => Promise<unknown>): Promise<LogLine> {
    const before = program.log.filter(({ msg }) => msg === 'handshake failed').length;
    await act();
    const line = await program.logged('handshake failed', {}, before + 1);
    expect(line.level).to.equal('info');
    expect(line['client']).to.equal('127.0.0.1');
    return line;
  }
  const refused = (...flags: string[]) => lineOf(() => sClient(program.port, ...SNI, ...flags));

  it('TLS 1.1', async () => {
    // At its default security level OpenSSL offers no TLS 1.1.
    const line = await refused('-tls1_1', '-cipher', 'ALL:@SECLEVEL=0');
    expect(line).to.include({ reason: 'tls-error', detail: 'unsupported protocol', name: 'a.test' });
    expect(line['code']).to.equal('ERR_SSL_UNSUPPORTED_PROTOCOL');
    expect(line['versions']).to.equal('up to TLSv1.1');
  });

  it('no cipher in common', async () => {
    const line = await refused('-tls1_2', '-cipher', 'AES128-SHA');
    expect(line).to.include({ detail: 'no shared cipher', name: 'a.test', ciphers: 'AES128-SHA' });
    expect(line['signatures']).to.include('ecdsa_secp256r1_sha256');
  });

  it('no signature in common', async () => {
    const line = await refused('-tls1_3', '-sigalgs', 'RSA-PSS+SHA256');
    expect(line['detail']).to.match(/^no (?:suitable|shared) signature algorithm/);
    expect(line['signatures']).to.equal('rsa_pss_rsae_sha256');
  });

  it('a client that does not trust the certificate', async () => {
    for (const version of ['-tls1_2', '-tls1_3']) {
      const line = await refused('-verify_return_error', version);
      expect(line['detail']).to.match(/alert unknown ca$/);
      expect(line).to.include({ reason: 'tls-error', name: 'a.test' });
    }
  });

  it('curl that does not trust it', async () => {
    const url = `https://a.test:${program.port}/`;
    const flags = ['-s', '--noproxy', '*', '--resolve', `a.test:${program.port}:127.0.0.1`, url];
    const line = await lineOf(() => Promise.resolve(spawnSync('curl', flags)));
    expect(line['detail']).to.match(/alert unknown ca$/);
    expect(line['alpn']).to.equal('h2,http/1.1');
  });

  it('no protocol of ALPN in common', async () => {
    const line = await refused('-alpn', 'acme-tls/1,spdy/3');
    expect(line).to.include({ alpn: 'acme-tls/1,spdy/3', reason: 'tls-error' });
    expect(line['detail']).to.match(/no application protocol/);
  });

  it('garbage, plain HTTP, and half a ClientHello', async () => {
    const send = (bytes: Buffer | string) => async () => {
      using client = await RawClient.connect(program.port);
      await client.send(Buffer.from(bytes));
      client.socket.end();
      await client.closed;
    };
    expect(await lineOf(send('\n\x1b[31mgarbage\r\n'))).to.include({ reason: 'not-tls', detail: 'not TLS' });
    expect(await lineOf(send('GET / HTTP/1.1\r\n\r\n'))).to.include({ reason: 'plain-http' });
    expect(await lineOf(send(Buffer.from('1603010200010001fc', 'hex')))).to.include({ reason: 'closed' });
  });

  it('but not a client that connects and goes', async () => {
    using client = await RawClient.connect(program.port);
    client.socket.end();
    await client.closed;
    // Its line would stand before this one's.
    await refused('-tls1_2', '-cipher', 'AES128-SHA');
    const details = program.log.filter(({ msg }) => msg === 'handshake failed').map((line) => line['detail']);
    expect(details).to.not.include('the client ended the connection before its ClientHello');
  });

  it('but not one that goes well', async () => {
    const before = program.log.length;
    const { names } = await handshake({ port: program.port, servername: 'b.test' });
    expect(names).to.equal('b.test');
    const lines = program.log.slice(before).filter(({ msg }) => msg === 'handshake failed');
    expect(lines).to.deep.equal([]);
  });
});

describe('A PROXY header', () => {
  it('names the client of a handshake that fails, and alone is none', async () => {
    await using program = await startProgram([
      ...['--log-level', 'info', '--accept-proxy-protocol', '127.0.0.1/32'],
    ]);
    for (const [client, rest] of [
      ['192.0.2.1', ''],
      ['192.0.2.2', 'junk'],
    ] as const) {
      using raw = await RawClient.connect(program.port);
      await raw.send(Buffer.from(`PROXY TCP4 ${client} 192.0.2.9 1 443\r\n${rest}`));
      raw.socket.end();
      await raw.closed;
    }
    await program.logged('handshake failed', { client: '192.0.2.2', reason: 'not-tls' });
    expect(program.log.filter(({ msg }) => msg === 'handshake failed')).to.have.length(1);
  });
});
