/**
 * Requests that are one by themselves, and meant to leave the two sides of a connection out of step: bodies where none belong,
 * pauses, answers that come early, protocols that are changed.
 */
import { expect } from 'chai';
import type { Socket } from 'node:net';
import { eventually } from '../../../support/eventually.js';
import { startFront } from '../../../support/front.js';
import { chunked, get, HIDDEN, POISON, post, statuses } from '../../../support/hostile.js';
import { RawClient } from '../../../support/raw-client.js';
import { startRaw } from '../../../support/raw-upstream.js';
import { startRecordingBackend } from '../../../support/recording-backend.js';

const FORGED = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nreal';
const next = get('Host: a.test', 'Connection: close').replace('/x', '/next');

describe('A response with more to it than its request asks for', () => {
  const cases: [what: string, method: string, answer: string, status: number][] = [
    ['to HEAD, by its length', 'HEAD', `HTTP/1.1 200 OK\r\nContent-Length: ${FORGED.length}\r\n\r\n`, 200],
    ['to HEAD, in chunks', 'HEAD', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', 200],
    ['to HEAD, without a length', 'HEAD', 'HTTP/1.1 200 OK\r\n\r\n', 200],
    [
      'with 204, by its length',
      'GET',
      `HTTP/1.1 204 No Content\r\nContent-Length: ${FORGED.length}\r\n\r\n`,
      204,
    ],
    ['with 204, in chunks', 'GET', 'HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n', 204],
    ['with 204', 'GET', 'HTTP/1.1 204 No Content\r\n\r\n', 204],
    [
      'with 304, by its length',
      'GET',
      `HTTP/1.1 304 Not Modified\r\nContent-Length: ${FORGED.length}\r\n\r\n`,
      304,
    ],
    ['with 304', 'GET', 'HTTP/1.1 304 Not Modified\r\n\r\n', 304],
    [
      'with 205 and no length to speak of',
      'GET',
      'HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n',
      205,
    ],
    ['with a length', 'GET', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', 200],
    ['in chunks', 'GET', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 200],
  ];
  for (const [what, method, answer, status] of cases)
    for (const timing of ['at once', 'later'] as const)
      it(`(${what}) is not taken for the answer to the next one (${timing})`, async () => {
        await using backend = await startRaw((socket, text, index) => {
          if (index > 0 || text.includes('/next')) socket.write(OK);
          else if (timing === 'at once') socket.write(answer + FORGED);
          else socket.write(answer, () => setImmediate(() => socket.write(FORGED)));
        });
        await using front = await startFront({ backends: [backend.origin] });
        using client = await RawClient.connect(front.port, 'a.test');
        client.send(get('Host: a.test').replace('GET', method));
        await client.until('it is answered', ({ received }) => received.includes('\r\n\r\n'));
        if (timing === 'later') await eventually('it is noticed', () => backend.sockets[0]?.closed === true);
        const received = await client.send(next).closed();
        expect(statuses(received)).to.deep.equal([status, 200]);
        expect(received).not.to.include('forged');
        expect(received).to.match(/real$/);
      });

  it('(with 205 and a body) is passed on with its end', async () => {
    await using backend = await startRaw((socket) =>
      socket.write(`HTTP/1.1 205 X\r\nContent-Length: ${FORGED.length}\r\n\r\n${FORGED}`),
    );
    await using front = await startFront({ backends: [backend.origin] });
    using client = await RawClient.connect(front.port, 'a.test');
    const received = await client.send(next).closed();
    expect(received).to.include(`\r\nContent-Length: ${FORGED.length}\r\n`);
    expect(received.endsWith(`\r\n\r\n${FORGED}`)).to.equal(true);
  });
});

describe('A client that pauses', () => {
  for (const [what, text] of [
    ['in a body of a length', post([`Content-Length: ${POISON.length}`])],
    ['in a chunk', chunked('28\r\n')],
    ['in the size of a chunk', chunked('2')],
    ['in the trailers', chunked('0\r\n')],
  ] as const)
    it(`${what} is given up, and what it sends then is no request`, async () => {
      await using backend = await startRecordingBackend();
      await using front = await startFront({ backends: [backend.url], limits: { bodyTimeoutMs: 100 } });
      using client = await RawClient.connect(front.port, 'a.test');
      client.send(text);
      await client.until('it is given up', ({ received }) => received.includes('HTTP/1.1 408 '));
      client.send(POISON + POISON);
      expect(statuses(await client.closed())).to.deep.equal([408]);
      expect(backend.requests).to.deep.equal([]);
      expect(backend.errors).to.deep.equal([]);
    });

  it('in a head is given up, and what it sends then is no request', async () => {
    await using backend = await startRecordingBackend();
    await using front = await startFront({ backends: [backend.url], limits: { headerTimeoutMs: 100 } });
    using client = await RawClient.connect(front.port, 'a.test');
    client.send('GET /x HTTP/1.1\r\nX: ');
    await client.until('it is given up', ({ received }) => received.includes('HTTP/1.1 408 '));
    client.send(POISON + POISON);
    expect(statuses(await client.closed())).to.deep.equal([408]);
    expect(backend.requests).to.deep.equal([]);
  });

  for (const [what, text] of [
    ['a bad chunk', `2\r\nxxx\r\n${HIDDEN}`],
    ['a bad size', `zz\r\n${HIDDEN}`],
    ['a bad trailer', `0\r\nX Y\r\n\r\n${POISON}`],
  ] as const)
    it(`before ${what} has its request broken off at the backend`, async () => {
      await using backend = await startRecordingBackend();
      await using front = await startFront({ backends: [backend.url] });
      using client = await RawClient.connect(front.port, 'a.test');
      client.send(chunked('2\r\nxx\r\n'));
      await eventually('the backend has some of it', () => backend.received.includes('xx'));
      expect(statuses(await client.send(text).closed())).to.deep.equal([400]);
      await eventually('its connection is closed', () => backend.openConnections === 0);
      expect(backend.requests).to.deep.equal([]);
      expect(backend.received).not.to.include('poison');
    });
});

describe('A backend that answers early', () => {
  const uploads: [what: string, head: string, rest: string][] = [
    ['a length', post([`Content-Length: ${2 * POISON.length}`], POISON), POISON + POISON],
    ['chunks', chunked(`${POISON.length.toString(16)}\r\n${POISON}\r\n`), HIDDEN],
    [
      'chunks that are malformed then',
      chunked(`${POISON.length.toString(16)}\r\n${POISON}\r\n`),
      `zz\r\n${HIDDEN}`,
    ],
  ];
  for (const [what, head, rest] of uploads)
    for (const status of [200, 401, 413])
      it(`with ${status}, whole, to an upload of ${what}, makes no request of the rest`, async () => {
        const seen: Socket[] = [];
        const body = 'x'.repeat(100_000);
        await using backend = await startRaw((socket) => {
          if (!seen.includes(socket))
            socket.write(`HTTP/1.1 ${status} Early\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
          seen.push(socket);
        });
        await using front = await startFront({ backends: [backend.origin] });
        using client = await RawClient.connect(front.port, 'a.test');
        client.send(head);
        await client.until('its head is there', ({ received }) => received.includes('\r\n\r\n'));
        client.send(rest);
        const received = await client.closed();
        expect(statuses(received)).to.deep.equal([status]);
        expect(received).to.match(/\r\nConnection: close\r\n/);
        expect(received.endsWith(body)).to.equal(true);
        expect(backend.read).to.have.length(1);
      });
});

describe('A change of the protocol', () => {
  const asking = (rest: string, ...fields: string[]): string =>
    get('Host: a.test', 'Connection: Upgrade', 'Upgrade: own', ...fields) + rest;

  it('takes what came early along, and serves none of it', async () => {
    await using backend = await startRaw((socket, text) => {
      if (text.startsWith('GET /x '))
        socket.write('HTTP/1.1 101 Changed\r\nConnection: Upgrade\r\nUpgrade: own\r\n\r\n');
      else socket.end('goodbye');
    });
    await using front = await startFront({ backends: [backend.origin] });
    using client = await RawClient.connect(front.port, 'a.test');
    const received = await client.send(asking(POISON)).closed();
    expect(statuses(received)).to.deep.equal([101]);
    expect(backend.sockets).to.have.length(1);
    expect(backend.read[0]?.slice(1).join('')).to.equal(POISON);
  });

  for (const [what, answer, status] of [
    ['without having been asked', 'HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: own\r\n\r\n', 502],
    ['behind an answer', `${OK}HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: own\r\n\r\n`, 200],
  ] as const)
    it(`by the backend ${what} changes nothing`, async () => {
      await using backend = await startRaw((socket, text) =>
        socket.write(text.includes('/next') ? OK : answer),
      );
      await using front = await startFront({ backends: [backend.origin] });
      using client = await RawClient.connect(front.port, 'a.test');
      client.send(get('Host: a.test'));
      await client.until('it is answered', ({ received }) => received.includes('\r\n\r\n'));
      expect(statuses(await client.send(next).closed())).to.deep.equal([status, 200]);
    });

  it('before the end of the request that asks for it is refused', async () => {
    await using backend = await startRaw((socket) =>
      socket.write('HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: own\r\n\r\n'),
    );
    await using front = await startFront({ backends: [backend.origin] });
    using client = await RawClient.connect(front.port, 'a.test');
    client.send(asking('some', 'Content-Length: 100'));
    await client.until('it is answered', ({ received }) => received.includes('\r\n\r\n'));
    client.send(POISON.repeat(4));
    expect(statuses(await client.closed())).to.deep.equal([502]);
    expect(
      backend.read
        .flat()
        .join('')
        .match(/HTTP\/1\.1/g),
    ).to.have.length(1);
  });
});
