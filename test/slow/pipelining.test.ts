/**
 * Requests that an HTTP/1.1 client sends without waiting for answers: each has its turn when the one before is answered, and
 * what waits is nobody's when the connection ends.
 */
import { expect } from 'chai';
import { once } from 'node:events';
import type { RequestListener, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { startBackend } from '../support/backend.js';
import { eventually } from '../support/eventually.js';
import { startFront } from '../support/front.js';
import { plainPort } from '../support/plain-client.js';
import { startProgram } from '../support/program.js';
import { RawClient } from '../support/raw-client.js';
import { startRecordingBackend } from '../support/recording-backend.js';

const HOST = 'Host: a.test\r\n';
const get = (path: string, fields = ''): string => `GET ${path} HTTP/1.1\r\n${HOST}${fields}\r\n`;
const gets = (count: number): string => Array.from({ length: count }, (_, i) => get(`/${i}`)).join('');
const statuses = (received: string): string[] =>
  Array.from(received.matchAll(/HTTP\/1\.1 (\d+)/g), ([, status]) => String(status));

/** Answers with path and body, and knows how many requests it had at once. */
function countingListener(answer: (text: string, response: ServerResponse) => void): {
  listener: RequestListener;
  most: () => number;
} {
  let [now, most] = [0, 0];
  const listener: RequestListener = (request, response) => {
    now += 1;
    most = Math.max(most, now);
    let body = '';
    request.setEncoding('latin1').on('data', (text: string) => (body += text));
    request.on('end', () => {
      setImmediate(() => {
        now -= 1;
        answer(`[${request.url}${body === '' ? '' : ` ${body}`}]`, response);
      });
    });
  };
  return { listener, most: () => most };
}

describe('Pipelined requests', () => {
  it('reach the backend one at a time, and are all answered in their order: 3,000 in one write', async () => {
    const { listener, most } = countingListener((text, response) => response.end(text));
    await using backend = await startBackend(listener);
    await using front = await startFront({ backends: [backend.url] });
    using client = await RawClient.connect(front.port, 'a.test');
    const expected: string[] = [];
    let text = '';
    for (let i = 0; i < 3_000; i++) {
      const body = 'GET / HTTP/1.1\r\n\r\n'.repeat(i % 5);
      const isChunked = i % 10 === 4;
      if (i % 2 === 1) text += get(`/${i}`);
      else if (isChunked)
        text += `${get(`/${i}`, 'Transfer-Encoding: chunked\r\n')}48\r\n${body}\r\n0\r\n\r\n`;
      else text += get(`/${i}`, `Content-Length: ${body.length}\r\n`) + body;
      expected.push(i % 2 === 1 || body === '' ? `[/${i}]` : `[/${i} ${body}]`);
    }
    let received = '';
    client.socket.removeAllListeners('data');
    client.socket.on('data', (piece: string) => (received += piece));
    client.send(text);
    const bodies = (): string[] => received.match(/\[[^\]]*\]/g) ?? [];
    await eventually('all are answered', () => received.includes('[/2999]'), 100_000);
    expect(bodies()).to.deep.equal(expected);
    expect(new Set(statuses(received.replaceAll(/\[[^\]]*\]/g, '')))).to.deep.equal(new Set(['200']));
    expect(most()).to.equal(1);
  });

  const mixture =
    get('/1') +
    `\r\n${get('/2', 'Content-Length: 4\r\n')}GET ` +
    get('/3', 'Connection: upgrade\r\nUpgrade: h2c\r\n') +
    get('/4', 'Transfer-Encoding: chunked\r\n') +
    '5;x=y\r\nGET /\r\n2\r\n\r\n\r\n0\r\nX-Sum: 7\r\n\r\n' +
    get('/5', 'Connection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 3\r\n') +
    'abc' +
    `HEAD /6 HTTP/1.1\r\n${HOST}\r\n` +
    get('/7', 'Connection: close\r\n') +
    get('/poison');
  for (const size of [1, 2, 7, 64, 200, 10_000]) {
    it(`are all answered in their order, however their bytes are split: ${size} a write`, async () => {
      const { listener, most } = countingListener((text, response) => response.end(text));
      await using backend = await startBackend(listener);
      await using front = await startFront({ backends: [backend.url] });
      using client = await RawClient.connect(front.port, 'a.test');
      for (let at = 0; at < mixture.length; at += size) client.send(mixture.slice(at, at + size));
      const received = await client.closed();
      expect(received.match(/\[[^\]]*\]/g)).to.deep.equal([
        ...['[/1]', '[/2 GET ]', '[/3]', '[/4 GET /\r\n]', '[/5 abc]', '[/7]'],
      ]);
      expect(statuses(received)).to.deep.equal(Array(7).fill('200'));
      expect(backend.requests.map(({ url }) => url)).to.deep.equal([
        ...['/1', '/2', '/3', '/4', '/5', '/6', '/7'],
      ]);
      expect(most()).to.equal(1);
    });
  }

  it('wait for a client that does not read what was answered before', async () => {
    await using backend = await startBackend((_, response) => response.end(Buffer.alloc(20_000_000)));
    await using front = await startFront({ backends: [backend.url] });
    using client = await RawClient.connect(front.port, 'a.test');
    client.socket.pause();
    client.send(gets(5_000));
    await eventually('the backend is asked', () => backend.requests.length > 0);
    // Another client is served in between, and from the same loop.
    for (let i = 0; i < 3; i++) {
      using other = await RawClient.connect(front.port, 'a.test');
      other.send(get('/other', 'Connection: close\r\n'));
      await other.closed();
    }
    expect(backend.requests.filter(({ url }) => url !== '/other')).to.have.length(1);
  });

  for (const [how, count] of [
    ['read already', 2_000],
    ['not read yet', 20_000],
  ] as const) {
    it(`never reach a backend when the client has left: those ${how}`, async () => {
      const waiting: ServerResponse[] = [];
      await using backend = await startBackend((_, response) => void waiting.push(response));
      await using front = await startFront({ backends: [backend.url] });
      using client = await RawClient.connect(front.port, 'a.test');
      client.send(gets(count));
      await eventually('the backend is asked', () => waiting.length === 1);
      client.socket.destroy();
      if (how === 'read already') await eventually('the backend knows', () => waiting[0]?.destroyed === true);
      else waiting[0]?.end();
      using other = await RawClient.connect(front.port, 'a.test');
      other.send(get('/other'));
      await eventually('another client has its turn', () => backend.requests.at(-1)?.url === '/other');
      expect(backend.requests.map(({ url }) => url)).to.deep.equal(['/0', '/other']);
    });
  }

  it('are nobody’s behind the answer that a drain ends the connection with', async () => {
    const waiting: ServerResponse[] = [];
    await using backend = await startBackend((_, response) => void waiting.push(response));
    await using front = await startFront({ backends: [backend.url] });
    using client = await RawClient.connect(front.port, 'a.test');
    client.send(gets(3));
    await eventually('the backend is asked', () => waiting.length === 1);
    front.frontend.drain(1_000);
    waiting[0]?.end('answered');
    expect(await client.closed()).to.match(/\r\nConnection: close\r\n[^]*answered/i);
    expect(backend.requests).to.have.length(1);
  });

  it('may wait for 100 Continue in between', async () => {
    const { listener } = countingListener((text, response) => response.end(text));
    await using backend = await startBackend(listener);
    await using front = await startFront({ backends: [backend.url] });
    using client = await RawClient.connect(front.port, 'a.test');
    client.send(get('/1') + get('/2', 'Expect: 100-continue\r\nContent-Length: 4\r\n'));
    await client.until('it may go on', ({ received }) => received.includes('100 Continue'));
    client.send(`body${get('/3', 'Expect: tea\r\nConnection: close\r\n')}`);
    expect(statuses(await client.closed())).to.deep.equal(['200', '100', '200', '417']);
    expect(client.received).to.match(/\[\/1\][^]*\[\/2 body\]/);
  });

  const malformed: [what: string, text: string, status: string][] = [
    ['no request', 'NONSENSE\r\n\r\n', '400'],
    ['too large a head', get('/x', `X-A: ${'x'.repeat(200_000)}\r\n`), '431'],
    ['too many fields', get('/x', 'a:\r\n'.repeat(1_000)), '431'],
    ['two hosts', get('/x', HOST), '400'],
    ['a host that it is not for', get('/x').replace('a.test', 'other.example'), '421'],
  ];
  for (const [what, text, status] of malformed) {
    it(`behind which comes ${what} are answered before that is`, async () => {
      const waiting: ServerResponse[] = [];
      await using backend = await startBackend((_, response) => void waiting.push(response));
      await using front = await startFront({ backends: [backend.url] });
      using client = await RawClient.connect(front.port, 'a.test');
      client.send(get('/1') + get('/2') + text + get('/poison'));
      for (let i = 0; i < 2; i++) {
        await eventually('the backend is asked', () => waiting.length === i + 1);
        waiting[i]?.end('answered');
      }
      expect(statuses(await client.closed())).to.deep.equal(['200', '200', status]);
      expect(backend.requests.map(({ url }) => url)).to.deep.equal(['/1', '/2']);
    });
  }

  it('behind which half a head stays are answered before that is given up', async () => {
    const waiting: ServerResponse[] = [];
    await using backend = await startBackend((_, response) => void waiting.push(response));
    await using front = await startFront({ backends: [backend.url], limits: { headerTimeoutMs: 100 } });
    using client = await RawClient.connect(front.port, 'a.test');
    client.send(`${get('/1')}GET /2 HT`);
    await eventually('the backend is asked', () => waiting.length === 1);
    // Slow heads are looked for once a second: this one is found together with the first, or later.
    using other = await RawClient.connect(front.port, 'a.test');
    expect(statuses(await other.send('GET /2 HT').closed())).to.deep.equal(['408']);
    waiting[0]?.end('answered');
    expect(statuses(await client.closed())).to.deep.equal(['200', '408']);
  });

  it('are read from behind a PROXY header too', async () => {
    await using program = await startProgram([
      ...['--http-listen', '127.0.0.1:0', '--accept-proxy-protocol', '127.0.0.1'],
    ]);
    const socket = connect(plainPort(program), '127.0.0.1');
    let received = '';
    socket.setEncoding('latin1').on('data', (text: string) => (received += text));
    socket.write(
      `PROXY TCP4 192.0.2.7 192.0.2.1 1234 80\r\n${gets(100)}${get('/last', 'Connection: close\r\n')}`,
    );
    await once(socket, 'close');
    expect(statuses(received)).to.deep.equal(Array(101).fill('308'));
    expect(received).to.match(/Location: https:\/\/a\.test\/last\r\n/i);
  });
});

describe('A request behind the one that ends its connection', () => {
  const endings: [what: string, text: string, status: string][] = [
    ['for another name', get('/x').replace('a.test', 'other.example'), '421'],
    ['with two hosts', get('/x', HOST), '400'],
    ['without a host', 'GET /x HTTP/1.1\r\n\r\n', '400'],
    ['that is malformed', 'G@T /x HTTP/1.1\r\n\r\n', '400'],
    ['of another version', get('/x').replace('HTTP/1.1', 'HTTP/2.0'), '505'],
    ['with too many fields', get('/x', 'a:\r\n'.repeat(1_000)), '431'],
    ['with a coding that is lost', get('/x', 'Transfer-Encoding: gzip, chunked\r\n'), '501'],
    [
      'with a refused body',
      get('/x', 'Content-Length: 100000\r\n').replace('a.test', 'other.example'),
      '421',
    ],
    ['that is CONNECT', `CONNECT a.test:443 HTTP/1.1\r\n${HOST}\r\n`, '405'],
    [
      'to change to a protocol for another name',
      get('/x', 'Connection: upgrade\r\nUpgrade: own\r\n').replace('a.test', 'other.example'),
      '421',
    ],
    ['with Connection: close', get('/served', 'Connection: close\r\n'), '200'],
    ['of HTTP/1.0', get('/served').replace('HTTP/1.1', 'HTTP/1.0'), '200'],
  ];
  const behind: [what: string, text: string][] = [
    ['a request', get('/poison')],
    ['an upgrade', get('/poison', 'Connection: upgrade\r\nUpgrade: own\r\n')],
    ['an upload', `${get('/poison', 'Content-Length: 4\r\n')}body`],
  ];
  for (const [ending, first, status] of endings) {
    for (const [follower, second] of behind) {
      for (const how of ['in one write', 'in two', 'after the answer'] as const) {
        it(`${ending}: ${follower}, ${how}, never reaches a backend`, async () => {
          await using backend = await startRecordingBackend();
          await using front = await startFront({ backends: [backend.url] });
          using client = await RawClient.connect(front.port, 'a.test');
          client.send(how === 'in one write' ? first + second : first);
          if (how === 'after the answer')
            await client.until('it is answered', (c) => c.received.includes('\r\n\r\n'));
          if (how !== 'in one write') client.send(second);
          client.send(second);
          expect(statuses(await client.closed())).to.deep.equal([status]);
          expect(backend.requests.map(({ line }) => line.split(' ')[1])).to.deep.equal(
            status === '200' ? ['/served'] : [],
          );
          expect(backend.errors).to.deep.equal([]);
        });
      }
    }
  }
});
