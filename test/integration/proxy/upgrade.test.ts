/**
 * WebSocket, and any other upgrade of an HTTP/1.1 connection.
 */
import { expect } from 'chai';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { startBackend, type Backend } from '../../support/backend.js';
import { eventually } from '../../support/eventually.js';
import { startFront, type Front } from '../../support/front.js';
import { RawClient } from '../../support/raw-client.js';
import { startRecordingBackend } from '../../support/recording-backend.js';
import { EchoClient, echoWebSockets } from '../../support/web-socket.js';

const upgrade = (...fields: string[]): string =>
  ['GET /x HTTP/1.1', 'Host: a.test', 'Connection: Upgrade', ...fields, '', ''].join('\r\n');

const isEnded = (socket: Duplex | undefined): boolean =>
  socket?.readableEnded === true || socket?.destroyed === true;

/** A backend that changes to a protocol of its own; each connection is handed over. */
async function changingBackend(
  onChange: (socket: Duplex, request: IncomingMessage) => void,
): Promise<Backend> {
  const backend = await startBackend();
  backend.server.on('upgrade', (request: IncomingMessage, socket: Duplex) => {
    const { method = '', url = '', rawHeaders, headers } = request;
    backend.requests.push({ method, url, rawHeaders, headers });
    socket.on('error', () => undefined);
    socket.write('HTTP/1.1 101 Changed\r\nConnection: Upgrade\r\nUpgrade: own\r\nX-Case: Kept\r\n\r\nhello');
    onChange(socket, request);
  });
  return backend;
}

describe('A WebSocket', () => {
  let backend: Backend;
  let front: Front;
  before(async () => {
    backend = await startBackend();
    echoWebSockets(backend);
    front = await startFront({ backends: [backend.url] });
  });
  after(async () => {
    await front[Symbol.asyncDispose]();
    await backend[Symbol.asyncDispose]();
  });

  it('passes messages both ways, small and large, and its close', async () => {
    await using client = await EchoClient.connect(front.port, 'a.test', '/socket?x=1');
    for (const text of ['hello', 'x'.repeat(1_000), 'y'.repeat(1_000_000)]) {
      expect(await client.echo(text)).to.equal(text);
    }
    expect(await client.close()).to.equal(1000);
  });

  it('lives on through reloads, also when the backend is another one from then on', async () => {
    await using other = await startBackend();
    await using reloaded = await startFront({ backends: [backend.url] });
    await using client = await EchoClient.connect(reloaded.port, 'a.test');
    for (const backends of [[other.url], [backend.url], []]) {
      reloaded.configure({ backends });
      expect(await client.echo('still here')).to.equal('still here');
    }
    expect(await client.close()).to.equal(1000);
  });

  it('lives on in a drain', async () => {
    await using drained = await startFront({ backends: [backend.url] });
    await using client = await EchoClient.connect(drained.port, 'a.test');
    drained.frontend.drain(0);
    expect(await client.echo('still here')).to.equal('still here');
  });
});

describe('An upgrade', () => {
  it('brings the backend’s 101 with its fields, and then the bytes of both sides as they are', async () => {
    await using backend = await changingBackend((socket) =>
      socket.on('data', (chunk) => socket.write(chunk)),
    );
    await using front = await startFront({ backends: [backend.url] });
    using client = await RawClient.connect(front.port, 'a.test');
    client.send(`${upgrade('Upgrade: own', 'X-A: 1', 'X-Forwarded-For: 10.6.6.6')}\0early`);
    await client.until('both have spoken', ({ received }) => received.endsWith('hello\0early'));
    expect(client.received).to.match(/^HTTP\/1\.1 101 Changed\r\n/);
    expect(client.received).to.include('\r\nX-Case: Kept\r\n');
    expect(client.received).to.include('\r\nConnection: Upgrade\r\nUpgrade: own\r\n\r\nhello');
    const [request] = backend.requests;
    expect(request?.url).to.equal('/x');
    expect(request?.headers).to.include({
      ...{ host: 'a.test', 'x-a': '1', connection: 'Upgrade', upgrade: 'own' },
      ...{ 'x-forwarded-for': '127.0.0.1', 'x-forwarded-proto': 'https' },
    });
  });

  it('ends each direction by itself', async () => {
    let isEnded = false;
    await using backend = await changingBackend((socket) => {
      socket.on('end', () => {
        isEnded = true;
        socket.end('goodbye');
      });
      socket.resume();
    });
    backend.server.on('connection', (socket) => (socket.allowHalfOpen = true));
    await using front = await startFront({ backends: [backend.url] });
    using client = await RawClient.connect(front.port, 'a.test');
    client.socket.allowHalfOpen = true;
    client.send(upgrade('Upgrade: own'));
    await client.until('it is upgraded', ({ received }) => received.endsWith('hello'));
    client.socket.end();
    await eventually('the end has passed', () => isEnded);
    expect(await client.closed()).to.match(/hellogoodbye$/);
  });

  for (const side of ['client', 'backend'] as const) {
    it(`is closed on both sides when the ${side} fails`, async () => {
      const sockets: Duplex[] = [];
      await using backend = await changingBackend((socket) => sockets.push(socket.resume()));
      await using front = await startFront({ backends: [backend.url] });
      using client = await RawClient.connect(front.port, 'a.test');
      client.send(upgrade('Upgrade: own'));
      await client.until('it is upgraded', ({ received }) => received.endsWith('hello'));
      if (side === 'client') client.socket.destroy();
      else sockets[0]?.destroy();
      // Of a client that is gone nothing more is seen than an end.
      await eventually('the backend knows', () => isEnded(sockets[0]));
      sockets[0]?.end();
      await eventually('both are closed', () => client.isClosed && sockets[0]?.destroyed === true);
    });
  }

  it('makes a fast side wait for a slow one', async () => {
    let sent = 0;
    const block = Buffer.alloc(1024 * 1024);
    await using backend = await changingBackend((socket) => {
      const pump = (): void => {
        while (!socket.destroyed && sent < 200 * block.length) {
          sent += block.length;
          if (!socket.write(block)) {
            socket.once('drain', pump);
            return;
          }
        }
      };
      pump();
    });
    await using front = await startFront({ backends: [backend.url] });
    using client = await RawClient.connect(front.port, 'a.test');
    client.socket.pause();
    client.send(upgrade('Upgrade: own'));
    await eventually('the backend is held up', async () => {
      const earlier = sent;
      await new Promise((resolve) => setTimeout(resolve, 300));
      return sent > 0 && sent === earlier;
    });
    expect(sent).to.be.below(50 * block.length);
  });

  it('that the backend does not want is an ordinary answer, and the connection is kept', async () => {
    await using backend = await startBackend((_, response) => {
      response
        .writeHead(426, { 'X-Case': 'Kept', 'Content-Length': 7, Upgrade: 'other', Connection: 'upgrade' })
        .end('no, but');
    });
    await using front = await startFront({ backends: [backend.url] });
    using client = await RawClient.connect(front.port, 'a.test');
    for (const count of [1, 2]) {
      client.send(upgrade('Upgrade: own'));
      await client.until('it is answered', ({ received }) => received.split('no, but').length === count + 1);
    }
    expect(client.received).to.match(/^HTTP\/1\.1 426 /);
    expect(client.received).to.include('\r\nUpgrade: other\r\n');
    expect(client.received).to.match(/\r\nConnection: upgrade\r\n/i);
  });

  for (const [what, breakOff] of [
    ['is closed', (socket: Duplex) => socket.destroy()],
    ['comes no further in time', () => undefined],
  ] as const) {
    it(`whose ordinary answer ${what} is cut, and counts against the backend`, async () => {
      await using backend = await startBackend((request, response) => {
        response.writeHead(426, { 'Content-Length': 7 });
        response.write('no,', () => breakOff(request.socket));
      });
      await using front = await startFront({
        backends: [backend.url],
        limits: { backendBodyTimeoutMs: 200 },
      });
      using client = await RawClient.connect(front.port, 'a.test');
      expect(await client.send(upgrade('Upgrade: own')).closed()).to.match(/^HTTP\/1\.1 426 [^]*no,$/);
      await eventually('it is logged', () => front.log.some(({ msg }) => msg === 'backend failed'));
    });
  }

  const ignored: [what: string, text: string, body: string][] = [
    ['to HTTP/2', upgrade('Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA'), ''],
    ['to TLS', upgrade('Upgrade: TLS/1.2'), ''],
    ['to nothing', upgrade('Upgrade: ,'), ''],
    ['of HTTP/1.0', upgrade('Upgrade: own').replace('1.1', '1.0'), ''],
    ['to HTTP/2 with a length', `${upgrade('Upgrade: h2c', 'Content-Length: 4')}body`, 'body'],
    [
      'to TLS with chunks',
      `${upgrade('Upgrade: TLS/1.2', 'Transfer-Encoding: chunked')}4\r\nbody\r\n0\r\n\r\n`,
      'body',
    ],
  ];
  const next = 'GET /next HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n';
  for (const [what, text, body] of ignored) {
    const isKept = !text.includes('HTTP/1.0');
    for (const how of ['at once', 'byte by byte', 'after the answer'] as const) {
      it(`${what} is not asked for: the request goes on without, and the next one too (${how})`, async () => {
        await using backend = await startRecordingBackend();
        await using front = await startFront({ backends: [backend.url] });
        using client = await RawClient.connect(front.port, 'a.test');
        if (how === 'at once') client.send(text + next);
        else for (const byte of text) client.send(byte);
        await client.until('it is answered', ({ received }) => received.includes('ok'));
        if (how === 'byte by byte') for (const byte of next) client.send(byte);
        if (how === 'after the answer') client.send(next);
        const received = await client.closed();
        const asked = isKept ? ['GET /x HTTP/1.1', 'GET /next HTTP/1.1'] : ['GET /x HTTP/1.1'];
        expect(received.match(/HTTP\/1\.1 \d+/g)).to.deep.equal(asked.map(() => 'HTTP/1.1 200'));
        expect(backend.requests.map(({ line }) => line)).to.deep.equal(asked);
        expect(backend.requests[0]?.body).to.equal(body);
        expect(backend.requests[0]?.fields.map(([name]) => name)).not.to.include('upgrade');
      });
    }
  }

  it('that is not asked for does not hide what is wrong with the next request', async () => {
    for (const how of ['at once', 'after the answer'] as const) {
      await using backend = await startRecordingBackend();
      await using front = await startFront({ backends: [backend.url] });
      using client = await RawClient.connect(front.port, 'a.test');
      client.send(upgrade('Upgrade: h2c') + (how === 'at once' ? 'NONSENSE\r\n\r\n' : ''));
      await client.until('it is answered', ({ received }) => received.includes('ok'));
      if (how !== 'at once') client.send('NONSENSE\r\n\r\n');
      expect((await client.closed()).match(/HTTP\/1\.1 \d+/g)).to.deep.equal([
        'HTTP/1.1 200',
        'HTTP/1.1 400',
      ]);
    }
  });

  const refused: [what: string, text: string, status: number][] = [
    ['with a bad Host', upgrade('Upgrade: own').replace('a.test', 'a b'), 400],
    ['for another name than the connection’s', upgrade('Upgrade: own').replace('a.test', 'c.example'), 421],
    ['under the admin prefix', upgrade('Upgrade: own').replace('/x', '/.peter_sslers/x'), 404],
  ];
  for (const [what, text, status] of refused) {
    it(`${what} is answered ${status}`, async () => {
      await using backend = await changingBackend(() => undefined);
      await using front = await startFront({ backends: [backend.url] });
      using client = await RawClient.connect(front.port, 'a.test');
      await client.send(text).until('it is answered', ({ received }) => received.includes('\r\n\r\n'));
      expect(client.received).to.match(new RegExp(`^HTTP/1\\.1 ${status} `));
      expect(backend.connections).to.equal(0);
    });
  }

  for (const how of ['in one write', 'byte by byte'] as const) {
    it(`behind other requests has its turn after them (${how})`, async () => {
      await using backend = await changingBackend((socket) =>
        socket.on('data', (chunk) => socket.write(chunk)),
      );
      await using front = await startFront({ backends: [backend.url] });
      using client = await RawClient.connect(front.port, 'a.test');
      const early = 'x'.repeat(50_000);
      const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a.test\r\n\r\n`;
      const text = get('/1') + get('/2') + upgrade('Upgrade: own');
      if (how === 'in one write') client.send(text + early);
      else for (const byte of text) client.send(byte);
      await client.until('it is upgraded', ({ received }) => received.includes('hello'));
      if (how === 'byte by byte') client.send(early);
      await client.until('both have spoken', ({ received }) => received.endsWith(`hello${early}`));
      expect(client.received.match(/HTTP\/1\.1 \d+/g)).to.deep.equal([
        ...['HTTP/1.1 200', 'HTTP/1.1 200', 'HTTP/1.1 101'],
      ]);
      expect(backend.requests.map(({ url }) => url)).to.deep.equal(['/1', '/2', '/x']);
      expect(front.log.filter(({ level }) => level === 'err')).to.deep.equal([]);
    });
  }

  it('goes to the next backend when one cannot be connected, and is answered 502 or 503 when none can', async () => {
    await using backend = await changingBackend((socket) => socket.end());
    const dead = 'http://127.0.0.1:1';
    const cases: [backends: string[], status: number][] = [
      [[dead, backend.url], 101],
      [[dead], 502],
      [[dead, 'http://127.0.0.1:2'], 503],
    ];
    for (const [backends, status] of cases) {
      await using front = await startFront({ backends });
      using client = await RawClient.connect(front.port, 'a.test');
      client.send(upgrade('Upgrade: own'));
      await client.until('it is answered', ({ received }) => received.includes('\r\n\r\n'));
      expect(client.received).to.match(new RegExp(`^HTTP/1\\.1 ${status} `));
    }
  });

  it('that the backend does not answer is given up with 504', async () => {
    await using backend = await startBackend();
    backend.server.on('upgrade', (_: IncomingMessage, socket: Duplex) => socket.resume());
    await using front = await startFront({
      backends: [backend.url],
      limits: { backendHeadersTimeoutMs: 100 },
    });
    using client = await RawClient.connect(front.port, 'a.test');
    client.send(upgrade('Upgrade: own'));
    await client.until('it is answered', ({ received }) => received.includes('\r\n\r\n'));
    expect(client.received).to.match(/^HTTP\/1\.1 504 /);
  });

  it('that its client gives up lets the backend know', async () => {
    const sockets: Duplex[] = [];
    await using backend = await startBackend();
    backend.server.on('upgrade', (_: IncomingMessage, socket: Duplex) => {
      socket.on('error', () => undefined);
      sockets.push(socket.resume());
    });
    await using front = await startFront({ backends: [backend.url] });
    using client = await RawClient.connect(front.port, 'a.test');
    client.send(upgrade('Upgrade: own'));
    await eventually('the backend has it', () => sockets.length === 1);
    client.socket.destroy();
    await eventually('the backend knows', () => isEnded(sockets[0]));
    expect(front.log.filter(({ level }) => level === 'err')).to.deep.equal([]);
  });
});
