/**
 * What becomes of an extended CONNECT (RFC 8441) that opens no tunnel.
 */
import { expect } from 'chai';
import type { IncomingHttpHeaders } from 'node:http2';
import type { Socket } from 'node:net';
import { startBackend } from '../../support/backend.js';
import { startFront, type Front } from '../../support/front.js';
import { startH2Backend } from '../../support/h2-backend.js';
import { H2Client, responseOf } from '../../support/h2-client.js';
import { RawClient } from '../../support/raw-client.js';
import { CONNECT, Tunnel } from '../../support/h2-tunnel.js';
import { acceptWebSockets } from '../../support/web-socket.js';

const UPGRADE = [
  ...['GET /chat HTTP/1.1', 'Host: a.test', 'Connection: Upgrade', 'Upgrade: websocket'],
  ...['Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', '', ''],
].join('\r\n');
const MIB = 1024 ** 2;

describe('An extended CONNECT', () => {
  const statusOf = async (front: Front, headers: IncomingHttpHeaders = {}): Promise<number> => {
    using client = await H2Client.connect(front.port, 'a.test');
    const response = responseOf(client.open({ ...CONNECT, ...headers }, { isOpen: true }));
    return (await response).status;
  };

  it('that the backend refuses has its answer, and the stream ends', async () => {
    await using backend = await startBackend((_, response) =>
      response.writeHead(403, { 'X-Why': 'no' }).end('forbidden'),
    );
    await using front = await startFront({ backends: [backend.url] });
    using client = await H2Client.connect(front.port, 'a.test');
    const stream = client.open(CONNECT, { isOpen: true });
    stream.write(Buffer.alloc(2 * MIB));
    const { status, headers, body, isWhole } = await responseOf(stream);
    expect({ status, body, isWhole }).to.deep.equal({ status: 403, body: 'forbidden', isWhole: true });
    expect(headers['x-why']).to.equal('no');
    expect((await client.request()).status).to.equal(403);
  });

  const ANSWERS: [what: string, head: string[]][] = [
    ['200, which would look like an open tunnel', ['HTTP/1.1 200 OK', 'Content-Length: 0']],
    ['101 without a key', ['HTTP/1.1 101 Changed', 'Connection: Upgrade', 'Upgrade: websocket']],
    [
      '101 with another key',
      [
        ...['HTTP/1.1 101 Changed', 'Connection: Upgrade', 'Upgrade: websocket'],
        'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
      ],
    ],
  ];
  for (const [what, head] of ANSWERS) {
    it(`is answered 502 where the backend answers ${what}`, async () => {
      await using backend = await startBackend();
      backend.server.on('upgrade', (_, socket: Socket) => {
        socket.on('error', () => undefined);
        socket.write([...head, '', ''].join('\r\n'));
      });
      await using front = await startFront({ backends: [backend.url] });
      expect(await statusOf(front)).to.equal(502);
      expect(front.log.filter(({ msg }) => msg === 'backend failed')).to.have.length(1);
    });
  }

  it('is answered 502 where the 101 has more fields than HTTP/2 can send', async () => {
    await using backend = await startBackend();
    backend.server.prependListener('upgrade', (_, socket: Socket) => {
      const write = socket.write.bind(socket);
      socket.write = (head: string) =>
        write(head.replace('X-Backend: 1', `X-Backend: ${'x'.repeat(70_000)}`));
    });
    acceptWebSockets(backend, () => undefined);
    await using front = await startFront({ backends: [backend.url] });
    expect(await statusOf(front)).to.equal(502);
  });

  it('is answered 502 where no backend can be connected, 504 where none answers', async () => {
    await using backend = await startBackend();
    backend.server.on('upgrade', (_, socket: Socket) => socket.on('error', () => undefined).resume());
    for (const [url, status] of [
      ['http://127.0.0.1:1', 502],
      [backend.url, 504],
    ] as const) {
      await using front = await startFront({
        backends: [url],
        limits: { backendHeadersTimeoutMs: 100, backendRestartWaitMs: 0 },
      });
      expect(await statusOf(front)).to.equal(status);
    }
  });

  it('is answered 501 for another protocol, and where the backend is on HTTP/2; CONNECT itself 405', async () => {
    await using backend = await startBackend();
    await using h2 = await startH2Backend((stream) => stream.respond({}, { endStream: true }));
    await using front = await startFront({ backends: [backend.url] });
    await using other = await startFront({ backends: [h2.url] });
    expect(await statusOf(front, { ':protocol': 'connect-udp' })).to.equal(501);
    expect(await statusOf(other)).to.equal(501);
    using client = await H2Client.connect(front.port, 'a.test');
    const plain = client.session.request({ ':method': 'CONNECT', ':authority': 'a.test' });
    expect((await responseOf(plain)).status).to.equal(405);
    expect(backend.connections).to.equal(0);
  });

  it('goes to a backend on HTTP/1.1 where others of the route are on HTTP/2, as an upgrade of HTTP/1.1 does', async () => {
    await using backend = await startBackend();
    acceptWebSockets(backend, () => undefined);
    await using h2 = await startH2Backend((stream) => stream.respond({}, { endStream: true }));
    await using front = await startFront({ backends: [h2.url, backend.url, h2.url] });
    for (let turn = 0; turn < 4; turn++) {
      using http2 = await H2Client.connect(front.port, 'a.test');
      await Tunnel.open(http2);
      using client = await RawClient.connect(front.port, 'a.test');
      client.send(UPGRADE);
      await client.until('it is answered', ({ received }) => received.includes('\r\n\r\n'));
      expect(client.received).to.match(/^HTTP\/1\.1 101 /);
    }
    const limits = { backendRestartWaitMs: 0 };
    await using down = await startFront({ backends: [h2.url, 'http://127.0.0.1:1'], limits });
    expect(await statusOf(down)).to.equal(502);
    expect(h2.requests).to.deep.equal([]);
  });

  it('is answered 405 where there is a page only, 421 for another name, 400 with a body’s length', async () => {
    await using backend = await startBackend();
    await using page = await startFront();
    await using front = await startFront({ backends: [backend.url] });
    expect(await statusOf(page)).to.equal(405);
    expect(await statusOf(front, { ':authority': 'c.example' })).to.equal(421);
    expect(await statusOf(front, { 'content-length': '4' })).to.equal(400);
    expect(backend.requests).to.deep.equal([]);
  });
});
