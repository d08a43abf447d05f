/**
 * The PROXY protocol: sent to backends, and taken from the peers that are trusted with it.
 */
import { expect } from 'chai';
import { once } from 'node:events';
import { startBackend } from '../../support/backend.js';
import { connectTls } from '../../support/client.js';
import { eventually } from '../../support/eventually.js';
import { startProgram } from '../../support/program.js';
import { RawClient } from '../../support/raw-tls.js';
import { startTcpBackend } from '../../support/tcp-backend.js';

const HEADER = 'PROXY TCP4 192.0.2.1 203.0.113.5 12345 443\r\n';

describe('The PROXY protocol', () => {
  it('tells a backend the addresses in version 1, before the first byte of the client', async () => {
    await using backend = await startTcpBackend();
    await using program = await startProgram(['--backend', backend.url, '--send-proxy-protocol', 'v1']);
    const client = await connectTls({ port: program.port, servername: 'a.localhost' });
    const connection = await backend.connection();
    const header = `PROXY TCP4 127.0.0.1 127.0.0.1 ${client.localPort} ${program.port}\r\n`;
    await eventually('the header is there', () => connection.received.length >= header.length);
    client.end('EHLO');
    await eventually('the end is there', () => connection.hasEnded);
    expect(connection.received.toString()).to.equal(`${header}EHLO`);
  });

  it('tells a backend addresses, ALPN, name, TLS version and cipher in version 2', async () => {
    await using backend = await startTcpBackend();
    await using program = await startProgram(['--backend', backend.url, '--send-proxy-protocol', 'v2']);
    const client = await connectTls({
      port: program.port,
      servername: 'A.localhost',
      ALPNProtocols: ['imap'],
      maxVersion: 'TLSv1.2',
    });
    client.end('x');
    const connection = await backend.connection();
    await eventually('the end is there', () => connection.hasEnded);
    const { received } = connection;
    expect(received.toString('latin1', 0, 12)).to.equal('\r\n\r\n\0\r\nQUIT\n');
    expect(received.toString('hex', 12, 14)).to.equal('2111');
    const end = 16 + received.readUInt16BE(14);
    expect(received.toString('latin1', end)).to.equal('x');
    expect(received.toString('hex', 16, 24)).to.equal('7f0000017f000001');
    expect([received.readUInt16BE(24), received.readUInt16BE(26)]).to.deep.equal([
      client.localPort,
      program.port,
    ]);
    const tlvs = readTlvs(received.subarray(28, end));
    expect(tlvs.get(0x01)?.toString()).to.equal('imap');
    expect(tlvs.get(0x02)?.toString()).to.equal('a.localhost');
    const ssl = tlvs.get(0x20) ?? Buffer.alloc(0);
    expect(ssl.toString('hex', 0, 5)).to.equal('0100000001');
    const inner = readTlvs(ssl.subarray(5));
    expect(inner.get(0x21)?.toString()).to.equal('TLSv1.2');
    expect(inner.get(0x23)?.toString()).to.equal(client.getCipher().name);
  });

  it('passes on the client of a trusted peer, whatever the version', async () => {
    await using backend = await startTcpBackend();
    await using program = await startProgram([
      ...['--backend', backend.url, '--send-proxy-protocol', 'v1'],
      ...['--accept-proxy-protocol', '127.0.0.0/8'],
    ]);
    const v2 = Buffer.from(`0d0a0d0a000d0a515549540a2111000cc0000201cb007105303901bb`, 'hex');
    for (const [index, header] of [Buffer.from(HEADER), v2].entries()) {
      const raw = await RawClient.connect(program.port);
      raw.socket.removeAllListeners('data');
      raw.socket.write(header);
      const client = await connectTls({ port: program.port, socket: raw.socket, servername: 'a.localhost' });
      client.end();
      const connection = await backend.connection(index);
      await eventually('the end is there', () => connection.hasEnded);
      expect(connection.received.toString()).to.equal(HEADER);
    }
  });

  it('gives HTTP backends the client of a trusted peer', async () => {
    await using backend = await startBackend();
    await using program = await startProgram([
      ...['--backend', backend.url, '--accept-proxy-protocol', '127.0.0.1'],
    ]);
    const raw = await RawClient.connect(program.port);
    raw.socket.removeAllListeners('data');
    raw.socket.write(HEADER);
    const client = await connectTls({ port: program.port, socket: raw.socket, servername: 'a.localhost' });
    client.write('GET / HTTP/1.1\r\nHost: a.localhost\r\nConnection: close\r\n\r\n');
    await once(client.resume(), 'close');
    expect(backend.requests[0]?.headers['x-forwarded-for']).to.equal('192.0.2.1');
    expect(backend.requests[0]?.headers['x-forwarded-port']).to.equal('443');
  });

  it('is asked of every trusted peer, and of nobody else', async () => {
    const reasons = async (trusted: string, first: string): Promise<unknown> => {
      await using program = await startProgram(['--accept-proxy-protocol', trusted]);
      using client = await RawClient.connect(program.port);
      client.socket.write(first, 'latin1');
      await client.closed;
      return (await program.logged('handshake failed'))['reason'];
    };
    expect(await reasons('127.0.0.1', 'GET / HTTP/1.1\r\n\r\n')).to.equal('no-proxy-header');
    expect(await reasons('192.0.2.0/24', HEADER)).to.equal('not-tls');
  });
});

function readTlvs(bytes: Buffer): Map<number, Buffer> {
  const found = new Map<number, Buffer>();
  for (let at = 0; at + 3 <= bytes.length;) {
    const length = bytes.readUInt16BE(at + 1);
    found.set(bytes.readUInt8(at), bytes.subarray(at + 3, at + 3 + length));
    at += 3 + length;
  }
  return found;
}
