/**
 * What clients on HTTP/1.1 may do, and some do: it must pass as it is.
 */
import { expect } from 'chai';
import type { Socket } from 'node:net';
import { startBackend } from '../../support/backend.js';
import { eventually } from '../../support/eventually.js';
import { startFront } from '../../support/front.js';
import { statuses } from '../../support/hostile.js';
import { RawClient } from '../../support/raw-client.js';
import { startRaw } from '../../support/raw-upstream.js';
import { startRecordingBackend } from '../../support/recording-backend.js';

const HIGH = String.fromCharCode(...Array.from({ length: 0x80 }, (_, i) => 0x80 + i));
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const head = (line: string, ...fields: string[]): string =>
  [line, 'Host: a.test', ...fields, '', ''].join('\r\n');
const whole = ({ received }: { received: string }): boolean => received.includes('\r\n\r\n');

describe('A request of an HTTP/1.1 client', () => {
  it('may have any octets above 0x7f in its path, in UTF-8 or not', async () => {
    await using backend = await startRecordingBackend();
    await using front = await startFront({ backends: [backend.url] });
    using client = await RawClient.connect(front.port, 'a.test');
    const paths = [
      '/caf\xc3\xa9',
      '/caf\xe9?\xe2\x82\xac=\xe9',
      `/${HIGH}`,
      ...Array.from(HIGH, (octet) => `/${octet}`),
    ];
    client.send(paths.map((path) => head(`GET ${path} HTTP/1.1`)).join(''));
    await client.until('all are answered', ({ received }) => statuses(received).length === paths.length);
    expect(backend.requests.map(({ line }) => line)).to.deep.equal(
      paths.map((path) => `GET ${path} HTTP/1.1`),
    );
  });

  for (const order of ['length first', 'length last', 'chunked'] as const)
    for (const timing of ['together', 'apart', 'octet by octet'] as const)
      it(`may have any octets above 0x7f in its fields: ${order}, head and body ${timing}`, async () => {
        await using backend = await startRecordingBackend();
        await using front = await startFront({ backends: [backend.url] });
        using client = await RawClient.connect(front.port, 'a.test');
        const fields = Array.from(HIGH, (octet) => `X-${octet.charCodeAt(0).toString(16)}: ${octet}`);
        const framing = order === 'chunked' ? 'Transfer-Encoding: chunked' : 'Content-Length: 4';
        const text = head(
          'POST /x HTTP/1.1',
          ...(order === 'length last' ? [...fields, framing] : [framing, ...fields]),
        );
        const body = order === 'chunked' ? '4\r\n\xffody\r\n0\r\n\r\n' : '\xffody';
        if (timing === 'octet by octet') for (const octet of text + body) client.send(octet);
        else client.send(timing === 'together' ? text + body : text);
        if (timing === 'apart') {
          await eventually('the head has been read', () => front.openPorts.length === 1);
          // In another segment, as from a client that thinks about it.
          await new Promise((resolve) => setTimeout(resolve, 60));
          client.send(body);
        }
        await client.until('it is answered', whole);
        expect(backend.errors).to.deep.equal([]);
        expect(backend.requests[0]?.body).to.equal('\xffody');
        for (const octet of HIGH)
          expect(backend.requests[0]?.fields).to.deep.include([
            `x-${octet.charCodeAt(0).toString(16)}`,
            octet,
          ]);
      });

  for (const count of [2, 3])
    it(`may have ${count} fields of cookies, which arrive as one`, async () => {
      await using backend = await startRecordingBackend();
      await using front = await startFront({ backends: [backend.url] });
      using client = await RawClient.connect(front.port, 'a.test');
      const cookies = Array.from({ length: count }, (_, i) => `cookie: c${i}=${i}`);
      client.send(head('GET /x HTTP/1.1', cookies[0] ?? '', 'X-A: b', ...cookies.slice(1)));
      await client.until('it is answered', whole);
      const joined = cookies.map((cookie) => cookie.slice('cookie: '.length)).join('; ');
      expect(backend.requests[0]?.fields.filter(([name]) => name === 'cookie')).to.deep.equal([
        ['cookie', joined],
      ]);
    });

  it('may have trailers, and announce them', async () => {
    await using backend = await startRecordingBackend();
    await using front = await startFront({ backends: [backend.url] });
    using client = await RawClient.connect(front.port, 'a.test');
    const trailers = `X-Sum: ${HIGH}\r\nX-Forwarded-For: 10.0.0.1\r\n`;
    client.send(
      `${head('POST /x HTTP/1.1', 'Trailer: X-Sum', 'Transfer-Encoding: chunked')}2\r\nab\r\n0\r\n${trailers}\r\n`,
    );
    await client.until('it is answered', whole);
    expect(backend.requests[0]?.fields).to.deep.include(['trailer', 'X-Sum']);
    expect(backend.requests[0]?.trailers).to.deep.equal([['x-sum', HIGH]]);
    expect(backend.requests[0]?.body).to.equal('ab');
  });

  it('of HTTP/1.0 may keep its connection, and does not by itself', async () => {
    await using backend = await startRecordingBackend();
    await using front = await startFront({ backends: [backend.url] });
    using client = await RawClient.connect(front.port, 'a.test');
    for (const count of [1, 2]) {
      client.send('GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
      await client.until('it is answered', ({ received }) => received.split('ok').length === count + 1);
    }
    expect(client.received.match(/\r\nConnection: keep-alive\r\n/g)).to.have.length(2);
    client.send('GET /x HTTP/1.0\r\n\r\n');
    expect(await client.closed()).to.match(/\r\nConnection: close\r\n[^]*ok$/);
  });

  it('may come with 99 others in one segment, and they are answered in their order', async () => {
    await using backend = await startBackend((incoming, response) => response.end(`at ${incoming.url};`));
    await using front = await startFront({ backends: [backend.url] });
    using client = await RawClient.connect(front.port, 'a.test');
    const paths = Array.from({ length: 100 }, (_, i) => `/${i}`);
    client.send(paths.map((path) => head(`GET ${path} HTTP/1.1`)).join(''));
    await client.until('all are answered', ({ received }) => received.includes('at /99;'));
    expect(client.received.match(/at \/\d+;/g)).to.deep.equal(paths.map((path) => `at ${path};`));
  });

  it('of which the chunks are of one octet reaches the backend in a few', async () => {
    const count = 10_000;
    await using backend = await startRaw(
      (socket, text) => text.endsWith('\r\n0\r\n\r\n') && socket.write(OK),
    );
    await using front = await startFront({ backends: [backend.origin] });
    using client = await RawClient.connect(front.port, 'a.test');
    client.send(
      `${head('POST /x HTTP/1.1', 'Transfer-Encoding: chunked')}${'1\r\nx\r\n'.repeat(count)}0\r\n\r\n`,
    );
    await client.until('it is answered', whole);
    const received = backend.read.flat().join('');
    const sizes = Array.from(received.matchAll(/\r\n([\da-f]+)\r\nx/g), ([, size]) =>
      parseInt(size ?? '', 16),
    );
    expect(sizes.reduce((sum, size) => sum + size, 0)).to.equal(count);
    // A record of TLS holds 2,730 of them.
    expect(sizes.length).to.be.below(20);
  });
});

describe('A response to an HTTP/1.1 client', () => {
  it('has as many chunks as turns in which something came', async () => {
    const sockets: Socket[] = [];
    await using backend = await startRaw((socket) => {
      sockets.push(socket);
      socket.write(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${'1\r\nx\r\n'.repeat(1_000)}`);
    });
    await using front = await startFront({ backends: [backend.origin] });
    using client = await RawClient.connect(front.port, 'a.test');
    client.send(head('GET /x HTTP/1.1'));
    await client.until('the first part is there', ({ received }) => received.includes('x'.repeat(1_000)));
    sockets[0]?.write(`${'1\r\ny\r\n'.repeat(1_000)}0\r\n\r\n`);
    await client.until('the rest is there', ({ received }) => received.endsWith('0\r\n\r\n'));
    const body = client.received.slice(client.received.indexOf('\r\n\r\n') + 4);
    expect(body).to.equal(`3e8\r\n${'x'.repeat(1_000)}\r\n3e8\r\n${'y'.repeat(1_000)}\r\n0\r\n\r\n`);
  });

  for (const [what, method, answer, expected] of [
    ['to HEAD', 'HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n', 'Content-Length: 10'],
    ['with 204', 'GET', 'HTTP/1.1 204 No Content\r\n\r\n', 'HTTP/1.1 204'],
    ['with 304', 'GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\nETag: "x"\r\n\r\n', 'ETag: "x"'],
    [
      'with 426',
      'GET',
      'HTTP/1.1 426 X\r\nUpgrade: own\r\nConnection: upgrade\r\nContent-Length: 0\r\n\r\n',
      'Upgrade: own',
    ],
  ] as const)
    it(`${what} leaves its connection usable`, async () => {
      await using backend = await startRaw((socket, text) =>
        socket.write(text.includes('/next') ? OK : answer),
      );
      await using front = await startFront({ backends: [backend.origin] });
      using client = await RawClient.connect(front.port, 'a.test');
      client.send(head(`${method} /x HTTP/1.1`));
      await client.until('it is answered', whole);
      expect(client.received).to.include(expected);
      client.send(head('GET /next HTTP/1.1'));
      await client.until('the next one is answered', ({ received }) => received.endsWith('\r\n\r\nok'));
    });
});

describe('An upgrade with a body, as Docker’s client sends it', () => {
  // As recorded of `docker exec`: POST with JSON, then a raw stream both ways.
  const json = '{"Detach":false,"Tty":true,"ConsoleSize":[24,80]}\n';
  const ask = [
    'User-Agent: Docker-Client/24.0.7 (linux)',
    'Connection: Upgrade',
    'Content-Type: application/json',
    'Upgrade: tcp',
  ];
  const line = 'POST /v1.43/exec/0123abcd/start HTTP/1.1';
  const changed =
    'HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n';

  for (const framing of ['length', 'chunks'] as const)
    for (const side of ['client', 'backend'] as const)
      it(`by ${framing} opens a stream both ways, of which the ${side} may end its half first`, async () => {
        const text =
          framing === 'length'
            ? `${head(line, ...ask, `Content-Length: ${json.length}`)}${json}`
            : `${head(line, ...ask, 'Transfer-Encoding: chunked')}${json.length.toString(16)}\r\n${json}\r\n0\r\n\r\n`;
        let toBackend = '';
        await using backend = await startRaw((socket, piece) => {
          if (toBackend === '' && piece.includes('}\n')) socket.write(`${changed}$ `);
          else if (piece.includes('exit')) socket.end('bye');
          toBackend += piece;
        });
        // The backend ends its half when it is told to, not because the client has ended its own.
        await using front = await startFront({ backends: [backend.origin] });
        using client = await RawClient.connect(front.port, 'a.test');
        client.socket.allowHalfOpen = true;
        client.send(text);
        await client.until('there is a prompt', ({ received }) => received.endsWith('$ '));
        expect(client.received).to.match(/^HTTP\/1\.1 101 UPGRADED\r\n/);
        expect(client.received).to.include('\r\nUpgrade: tcp\r\n');
        expect(toBackend).to.match(/\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n/);
        expect(toBackend).to.include(json);
        client.send('ls\n');
        await eventually('the backend has it', () => toBackend.endsWith('ls\n'));
        backend.sockets[0]?.write('file\n');
        await client.until('it is there', ({ received }) => received.endsWith('file\n'));
        if (side === 'backend') {
          client.send('exit\n');
          await client.until('the backend has ended', ({ received }) => received.endsWith('bye'));
          client.send('still here\n');
          await eventually('the other half is open', () => toBackend.endsWith('still here\n'));
          client.socket.end();
        } else {
          client.socket.end('last\n');
          await eventually('the end has passed', () => backend.sockets[0]?.readableEnded === true);
          expect(toBackend.endsWith('last\n')).to.equal(true);
        }
        await client.closed();
        await eventually('both are closed', () => backend.sockets[0]?.closed === true);
      });
});
