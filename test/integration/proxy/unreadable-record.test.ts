/**
 * A client that sends a TLS record which cannot be read is told so by an alert, and its connection is closed at once (RFC 8446
 * §6.2), whatever it was used for. Time-outs here are far longer than a test may run.
 */
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { connect, type SecureVersion, type TLSSocket } from 'node:tls';
import { expect } from 'chai';
import { startBackend, type Backend } from '../../support/backend.js';
import { startProgram, type Program } from '../../support/program.js';
import { startTcpBackend, type TcpBackend } from '../../support/tcp-backend.js';

/** Application data that does not decrypt. */
const UNREADABLE = Buffer.concat([Buffer.from([0x17, 3, 3, 0, 32]), Buffer.alloc(32, 0xaa)]);
const ALERT = 0x15;
/** In TLS 1.3 an alert is within a record of application data. */
const APPLICATION_DATA = 0x17;

/** A TLS client whose TCP connection a test can write to. */
class Client implements Disposable {
  readonly raw: Socket;
  readonly tls: TLSSocket;
  /** What has come since it was cleared, as it is on the wire. */
  received = Buffer.alloc(0);

  constructor(port: number, maxVersion: SecureVersion, serverName: string) {
    const raw = connectTcp({ port, host: '127.0.0.1', noDelay: true });
    const between = new Duplex({
      read: () => undefined,
      write: (chunk: Buffer, _, done) => raw.write(chunk, done),
    });
    raw.on('data', (chunk: Buffer) => {
      this.received = Buffer.concat([this.received, chunk]);
      between.push(chunk);
    });
    raw.on('error', () => undefined);
    this.raw = raw;
    this.tls = connect({ socket: between, maxVersion, servername: serverName, rejectUnauthorized: false });
    this.tls.on('error', () => undefined);
  }

  async says(text: string, answer: string): Promise<void> {
    this.tls.write(text);
    let heard = '';
    for await (const chunk of this.tls.iterator({ destroyOnReturn: false })) {
      heard += String(chunk);
      if (heard.includes(answer)) return;
    }
    expect.fail(`the connection ended after ${JSON.stringify(heard)}`);
  }

  [Symbol.dispose](): void {
    this.tls.destroy();
    this.raw.destroy();
  }
}

describe('A client whose record cannot be read', () => {
  let program: Program;
  let backend: Backend;
  let tcp: TcpBackend;

  before(async () => {
    backend = await startBackend((_, response) => response.end('answered'));
    backend.server.on('upgrade', (_request, socket: Socket) => {
      socket.on('error', () => undefined);
      socket.write('HTTP/1.1 101 Changed\r\nConnection: Upgrade\r\nUpgrade: own\r\n\r\nhello');
    });
    tcp = await startTcpBackend(({ socket }) => socket.write('hello'));
    program = await startProgram([
      ...['--backend', backend.url, '--backend', `tcp.localhost=${tcp.url}`],
      ...['--header-timeout', '3600', '--idle-timeout', '3600', '--body-timeout', '3600'],
    ]);
  });

  after(async () => {
    await program[Symbol.asyncDispose]();
    await backend[Symbol.asyncDispose]();
    await tcp[Symbol.asyncDispose]();
  });

  const REQUEST = 'GET / HTTP/1.1\r\nHost: a.localhost\r\n\r\n';
  const UPGRADE = 'GET / HTTP/1.1\r\nHost: a.localhost\r\nConnection: Upgrade\r\nUpgrade: own\r\n\r\n';
  const uses: [string, name: string, use: (client: Client) => Promise<void>][] = [
    ['before its first request', 'a.localhost', () => Promise.resolve()],
    ['after a request', 'a.localhost', (client) => client.says(REQUEST, 'answered')],
    ['after an upgrade', 'a.localhost', (client) => client.says(UPGRADE, 'hello')],
    ['in TCP mode', 'tcp.localhost', (client) => client.says('', 'hello')],
  ];
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    for (const [when, name, use] of uses) {
      it(`is told and cut off ${when}, with ${version}`, async () => {
        using client = new Client(program.port, version, name);
        await once(client.tls, 'secureConnect');
        await use(client);
        client.received = Buffer.alloc(0);
        const closed = once(client.raw, 'close');
        client.raw.write(UNREADABLE);
        await closed;
        expect(client.received[0]).to.equal(version === 'TLSv1.3' ? APPLICATION_DATA : ALERT);
      });
    }
  }
});
