/**
 * The fields that a line of the access log can be told to have, as the real program writes them.
 */
import { expect } from 'chai';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ACCESS_LOG_FIELD_NAMES } from '../../../lib/config/access-log-fields.js';
import { startBackend, type Backend } from '../../support/backend.js';
import { makeTempDir } from '../../support/certificates.js';
import { connectTls } from '../../support/client.js';
import { eventually } from '../../support/eventually.js';
import { H2Client } from '../../support/h2-client.js';
import { askPlain, plainPort } from '../../support/plain-client.js';
import { startProgram, type Program } from '../../support/program.js';
import { RawClient } from '../../support/raw-client.js';
import { startTcpBackend } from '../../support/tcp-backend.js';
import { newSession } from '../../support/tls-sessions.js';
import { unusedPort } from '../../support/unused-port.js';

const BODY = 'wörd by wörd';
const BODY_BYTES = Buffer.byteLength(BODY);
const UPGRADE = 'GET /upgrade HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n';

describe('--access-log-field', () => {
  let backend: Backend;
  let dir: string;
  let remove: () => Promise<void>;

  before(async () => {
    backend = await startBackend((incoming, response) => {
      if (incoming.url === '/slow') setTimeout(() => response.writeHead(203).end('late'), 60);
      else if (incoming.url === '/cut') response.destroy();
      else if (incoming.url === '/silent') response.on('error', () => undefined);
      else response.writeHead(201).end('made');
    });
    backend.server.on('upgrade', (_, socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
      socket.on('error', () => undefined);
      socket.pipe(socket);
    });
  });
  after(() => backend[Symbol.asyncDispose]());
  beforeEach(async () => {
    ({ dir, remove } = await makeTempDir());
  });
  afterEach(() => remove());

  const start = (fields: readonly string[], ...more: string[]): Promise<Program> =>
    startProgram([
      ...['--access-log', join(dir, 'access.log'), '--access-log-format', 'json'],
      ...fields.flatMap((name) => ['--access-log-field', name]),
      ...more,
    ]);
  const lines = (): string[] => readFileSync(join(dir, 'access.log'), 'utf8').split('\n').filter(Boolean);
  const objects = (): Record<string, unknown>[] =>
    lines().map((line) => JSON.parse(line) as Record<string, unknown>);
  const untilLines = (count: number): Promise<void> =>
    eventually(`there are ${count} lines`, () => lines().length === count);

  /** A request on a connection of its own. @returns SHA-256 of the certificate that the client was shown. */
  async function ask(
    port: number,
    head: readonly string[],
    { body = '', session }: { readonly body?: string; readonly session?: Buffer } = {},
  ): Promise<string | undefined> {
    const socket = await connectTls({ port, servername: 'a.test', ...(session && { session }) });
    const shown = socket.getPeerX509Certificate()?.fingerprint256.replaceAll(':', '').toLowerCase();
    const fields = [`Content-Length: ${Buffer.byteLength(body)}`, 'Connection: close'];
    socket.write([...head, ...fields, '', body].join('\r\n'));
    await once(socket.resume(), 'close');
    return shown;
  }

  it('has every field of a request on HTTP/1.1, where all are chosen', async () => {
    await using program = await start(ACCESS_LOG_FIELD_NAMES, '--backend', backend.url);
    const { port } = program;
    const head = [
      'POST /x?y=1 HTTP/1.1',
      'Host: a.test',
      'User-Agent: probe "1"',
      'Referer: https://b.test/',
    ];
    const certificate = await ask(port, head, { body: BODY });
    await untilLines(1);
    const [line = {}] = objects();
    expect(line).to.include({
      ...{
        client: '127.0.0.1',
        name: 'a.test',
        tier: 'ca',
        host: 'a.test',
        method: 'POST',
        target: '/x?y=1',
      },
      ...{ protocol: 'HTTP/1.1', backend: backend.url, status: 201, bytes: 4, received: BODY_BYTES },
      ...{ tls: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256', keyType: 'ecdsa-p256', resumed: false },
      ...{ referer: 'https://b.test/', userAgent: 'probe "1"', attempts: 1, backendStatus: 201 },
      certificate,
    });
    expect(line['handshake']).to.match(/^1-[0-9a-z]+$/);
    for (const name of ['ms', 'backendMs', 'chooseMs']) expect(line[name], name).to.be.above(0);
    expect(line['backendMs']).to.be.below(Number(line['ms']));
    // There is no ALPN, no reason, no end, no time-out and no cut.
    expect(line).not.to.have.any.keys('alpn', 'reason', 'end', 'timeout', 'cut');
  });

  it('has every field of a request on HTTP/2, where all are chosen', async () => {
    await using program = await start(ACCESS_LOG_FIELD_NAMES, '--backend', backend.url);
    using client = await H2Client.connect(program.port, 'a.test');
    const sent = { ':method': 'POST', 'user-agent': 'probe 2', referer: 'https://c.test/' };
    const stream = client.open({ ':path': '/x', ...sent }, { isOpen: true });
    stream.end(BODY);
    await once(stream.resume(), 'close');
    await client.request({ ':path': '/slow' });
    await untilLines(2);
    const [line = {}, other = {}] = objects();
    expect(line).to.include({
      ...{ client: '127.0.0.1', name: 'a.test', tier: 'ca', host: 'a.test', method: 'POST', target: '/x' },
      ...{
        protocol: 'HTTP/2.0',
        alpn: 'h2',
        backend: backend.url,
        status: 201,
        bytes: 4,
        received: BODY_BYTES,
      },
      ...{ tls: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256', keyType: 'ecdsa-p256', resumed: false },
      ...{ referer: 'https://c.test/', userAgent: 'probe 2', attempts: 1, backendStatus: 201 },
    });
    expect(line['certificate']).to.match(/^[0-9a-f]{64}$/);
    expect(other).to.include({ status: 203, backendStatus: 203, received: 0, handshake: line['handshake'] });
    expect(other['backendMs']).to.be.within(55, Number(other['ms']));
  });

  it('has of plain HTTP and of an error page what there is to know', async () => {
    await using program = await start(
      ACCESS_LOG_FIELD_NAMES,
      ...['--backend', `other.test=${backend.url}`, '--http-listen', '127.0.0.1:0'],
    );
    await ask(program.port, ['GET / HTTP/1.1', 'Host: a.test']);
    await untilLines(1);
    await askPlain(plainPort(program), 'GET / HTTP/1.1', ['Host: a.test', 'User-Agent: plain']);
    await untilLines(2);
    const [refused, plain] = objects();
    expect(refused).to.include({ status: 404, attempts: 0, tier: 'ca' });
    expect(refused).not.to.have.any.keys('backend', 'backendStatus', 'backendMs', 'userAgent', 'referer');
    expect(plain).to.include({ status: 308, userAgent: 'plain' });
    expect(plain).not.to.have.any.keys(
      'tls',
      'cipher',
      'keyType',
      'certificate',
      'resumed',
      'chooseMs',
      'tier',
    );
  });

  it('has those that were chosen and no other, in their order', async () => {
    await using program = await start(['status,method', 'protocol'], '--backend', backend.url);
    await ask(program.port, ['GET / HTTP/1.1', 'Host: a.test']);
    await untilLines(1);
    expect(lines()).to.deep.equal(['{"status":201,"method":"GET","protocol":"HTTP/1.1"}']);
  });

  it('tells how many backends were asked, and which one was the last', async () => {
    const dead = `http://127.0.0.1:${await unusedPort()}`;
    await using program = await start(
      ['attempts', 'backend', 'backendStatus', 'backendMs', 'status'],
      ...['--backend', dead, '--backend', backend.url],
    );
    // The dead one is asked first, until it is left out.
    for (const count of [1, 2, 3]) {
      await ask(program.port, ['GET / HTTP/1.1', 'Host: a.test']);
      await untilLines(count);
    }
    expect(objects().map(({ attempts }) => attempts)).to.deep.equal([2, 2, 2]);
    for (const line of objects()) expect(line).to.include({ backend: backend.url, backendStatus: 201 });
    await ask(program.port, ['POST /cut HTTP/1.1', 'Host: a.test']);
    await untilLines(4);
    expect(objects()[3]).to.include({ status: 502, backend: backend.url });
    expect(objects()[3]).not.to.have.any.keys('backendStatus', 'backendMs');
  });

  it('tells of no time-out where another backend has taken the request up since', async () => {
    // It accepts connections, and says nothing of TLS on them.
    await using silent = await startTcpBackend(() => undefined);
    const slow = silent.url.replace('tcp://', 'https://');
    await using program = await start(
      ['status', 'attempts', 'timeout'],
      ...['--backend', slow, '--backend', backend.url, '--backend-connect-timeout', '0.2'],
    );
    const connect = (): Promise<RawClient> => RawClient.connect(program.port, 'a.test');
    {
      using client = await connect();
      await client.send(UPGRADE).until('it is upgraded', ({ received }) => received.endsWith('\r\n\r\n'));
      client.socket.end();
      await client.closed();
      await untilLines(1);
    }
    {
      using client = await connect();
      const asked = once(backend.server, 'request');
      client.send('GET /silent HTTP/1.1\r\nHost: a.test\r\n\r\n');
      await asked;
      client.socket.destroy();
      await untilLines(2);
    }
    expect(objects()).to.deep.equal([
      { status: 101, attempts: 2 },
      { status: 499, attempts: 2 },
    ]);
  });

  it('has the authority as the target of a CONNECT on HTTP/2, as HTTP/1.1 has it', async () => {
    await using program = await start(['method', 'target', 'status'], '--backend', backend.url);
    using client = await H2Client.connect(program.port, 'a.test');
    await client.request({ ':method': 'CONNECT', ':authority': 'a.test:443', ':path': undefined });
    await untilLines(1);
    expect(objects()).to.deep.equal([{ method: 'CONNECT', target: 'a.test:443', status: 405 }]);
  });

  it('tells of a session that was resumed', async () => {
    await using program = await start(['resumed', 'certificate', 'tls'], '--backend', backend.url);
    const session = await newSession(program.port, 'TLSv1.3', 'a.test');
    const head = ['GET / HTTP/1.1', 'Host: a.test'];
    await ask(program.port, head, { session });
    await untilLines(1);
    await ask(program.port, head);
    await untilLines(2);
    const [first, second] = objects();
    expect(first).to.include({ resumed: true, tls: 'TLSv1.3' });
    expect(second).to.include({ resumed: false, certificate: first?.['certificate'] });
  });

  it('counts what a client sends behind a 101', async () => {
    await using program = await start(['received', 'status', 'backendStatus'], '--backend', backend.url);
    using client = await RawClient.connect(program.port, 'a.test');
    await client.send(UPGRADE).until('it is upgraded', ({ received }) => received.endsWith('\r\n\r\n'));
    await client
      .send('x'.repeat(1000))
      .until('the echo', ({ received }) => received.endsWith('x'.repeat(1000)));
    client.socket.end();
    await client.closed();
    await untilLines(1);
    expect(objects()).to.deep.equal([{ received: 1000, status: 101, backendStatus: 101 }]);
  });

  it('has of a connection to a tcp backend those that it has', async () => {
    await using tcp = await startTcpBackend(({ socket }) => void socket.once('end', () => socket.end('bye')));
    await using program = await start(
      ['name', 'handshake', 'cipher', 'keyType', 'certificate', 'resumed', 'received', 'end', 'method'],
      ...['--backend', tcp.url],
    );
    using client = await RawClient.connect(program.port, 'a.test');
    client.send('hello');
    client.socket.end();
    await client.closed();
    await untilLines(1);
    const [line = {}] = objects();
    expect(line).to.include({ name: 'a.test', cipher: 'TLS_AES_128_GCM_SHA256', keyType: 'ecdsa-p256' });
    expect(line).to.include({ resumed: false, received: 5, end: 'ended' }).and.not.to.have.property('method');
    expect(line['certificate']).to.match(/^[0-9a-f]{64}$/);
    expect(line['handshake']).to.match(/^1-/);
  });

  it('is not needed for the combined format, which has referer and user agent', async () => {
    await using program = await startProgram([
      ...['--access-log', join(dir, 'access.log'), '--access-log-format', 'combined'],
      ...['--backend', backend.url],
    ]);
    const head = ['GET /c HTTP/1.1', 'Host: a.test', 'User-Agent: b\\"r"', 'Referer: https://é.test/'];
    await ask(program.port, head);
    await untilLines(1);
    expect(lines()[0]).to.match(/^127\.0\.0\.1 - - \[[^\]]+\] "GET \/c HTTP\/1\.1" 201 4 /);
    expect(lines()[0]?.endsWith(' "https://\\xC3\\xA9.test/" "b\\x5C\\x22r\\x22"')).to.equal(true);
  });
});
