/**
 * A request that a backend does not answer is sent to another one, where that can do no harm.
 */
import { expect } from 'chai';
import type { IncomingMessage, RequestListener } from 'node:http';
import type { Duplex } from 'node:stream';
import { constants, type ServerHttp2Stream } from 'node:http2';
import { startBackend, type Backend } from '../../support/backend.js';
import { request } from '../../support/client.js';
import { eventually } from '../../support/eventually.js';
import { startFront, type Front } from '../../support/front.js';
import { startH2Backend } from '../../support/h2-backend.js';
import { startKillableBackend } from '../../support/killable-backend.js';
import { RawClient } from '../../support/raw-client.js';
import { startRaw } from '../../support/raw-upstream.js';

const COUNT = 300;
const CLIENTS = 12;

const answer: RequestListener = (_, response) => void response.end('answered');
const reset: RequestListener = ({ socket }) => void socket.resetAndDestroy();

/** How often each request was seen, by what names it. */
function timesSeen(...seen: string[]): number[] {
  const counts = new Map<string, number>();
  for (const one of seen) counts.set(one, (counts.get(one) ?? 0) + 1);
  return [...counts.values()];
}

describe('Of two backends', () => {
  for (const method of ['GET', 'POST']) {
    const what = method === 'GET' ? 'fails no request' : 'costs a POST rather than to send it twice';
    it(`one that is killed and started again and again ${what}`, async () => {
      await using steady = await startKillableBackend();
      await using killed = await startKillableBackend();
      await using front = await startFront({ backends: [steady.url, killed.url] });
      const statuses: number[] = [];
      let next = 0;
      const ask = async (): Promise<void> => {
        while (next < COUNT) {
          const path = `/${next++}`;
          statuses.push((await request({ port: front.port, name: 'a.test', method, path })).status);
        }
      };
      const isOver = Promise.all(Array.from({ length: CLIENTS }, ask)).then(() => true);
      // While there is one to be caught in the middle of an answer.
      for (;;) {
        if (await Promise.race([isOver, killed.moreRequests(3)])) break;
        await killed.kill();
        await killed.start();
      }
      expect(statuses).to.have.length(COUNT);
      const seen = timesSeen(...steady.seen, ...killed.seen);
      if (method === 'GET') {
        expect(new Set(statuses)).to.deep.equal(new Set([200]));
        expect(seen).to.have.length(COUNT);
        expect(Math.max(...seen)).to.equal(2);
      } else {
        expect(statuses).to.include(502);
        expect(Math.max(...seen)).to.equal(1);
      }
    });
  }

  /** One that fails, as the test has it, and one that answers. The first request goes to the former. */
  async function failingAnd(listener: RequestListener): Promise<
    AsyncDisposable & {
      readonly failing: Backend;
      readonly other: Backend;
      readonly front: Front;
    }
  > {
    const [failing, other] = [await startBackend(listener), await startBackend(answer)];
    const front = await startFront({ backends: [failing.url, other.url] });
    return {
      ...{ failing, other, front },
      async [Symbol.asyncDispose]() {
        for (const one of [front, failing, other]) await one[Symbol.asyncDispose]();
      },
    };
  }

  const endings: [how: string, listener: RequestListener][] = [
    ['resets', reset],
    ['closes', ({ socket }) => void socket.end()],
    ['breaks off its head of', ({ socket }) => void socket.end('HTTP/1.1 200 OK\r\nContent-')],
    [
      'gives no more than a hint on',
      ({ socket }, response) => response.writeEarlyHints({ link: '</a>; rel=preload' }, () => socket.end()),
    ],
  ];
  for (const [how, listener] of endings) {
    for (const [method, times] of [
      ['GET', 2],
      ['DELETE', 2],
      ['POST', 1],
      ['PATCH', 1],
    ] as const) {
      const goes = times === 1 ? 'is answered 502' : 'is answered by the other';
      it(`a ${method} that one of them ${how} ${goes}`, async () => {
        await using stage = await failingAnd(listener);
        const { failing, other, front } = stage;
        const { status } = await request({ port: front.port, name: 'a.test', method });
        expect(status).to.equal(times === 1 ? 502 : 200);
        expect([failing.requests.length, other.requests.length]).to.deep.equal([1, times - 1]);
      });
    }
  }

  it('one that resets everything is left out after three requests, none of which fails', async () => {
    await using stage = await failingAnd(reset);
    const { failing, other, front } = stage;
    while (!front.log.some(({ msg }) => msg === 'backend left out')) {
      expect((await request({ port: front.port, name: 'a.test' })).status).to.equal(200);
    }
    expect(failing.requests).to.have.length(3);
    expect(other.requests.length).to.be.within(3, 6);
  });

  it('one that was left out is used again once it answers, though that answer does not end', async () => {
    let isWell = false;
    await using stage = await failingAnd((incoming, response) => {
      if (isWell) response.write('data: event\n\n');
      else reset(incoming, response);
    });
    const { front } = stage;
    const was = (what: string): boolean => front.log.some(({ msg }) => msg === what);
    while (!was('backend left out')) await request({ port: front.port, name: 'a.test' });
    isWell = true;
    using client = await RawClient.connect(front.port, 'a.test');
    // Until its rest is over the other one answers.
    for (let asked = 0; !client.received.includes('event'); asked += 1) {
      client.send('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n');
      const answers = (): number => client.received.match(/event|answered/g)?.length ?? 0;
      await client.until('it is answered', () => answers() > asked);
    }
    await eventually('it is used again', () => was('backend used again'));
  });

  it('both reset a request, which is answered 502 when both have seen it', async () => {
    await using stage = await failingAnd(reset);
    const { failing, other, front } = stage;
    other.server.removeAllListeners('request').on('request', (incoming: IncomingMessage) => {
      other.requests.push({ method: '', url: '', rawHeaders: [], headers: {} });
      incoming.socket.resetAndDestroy();
    });
    expect((await request({ port: front.port, name: 'a.test' })).status).to.equal(502);
    expect([failing.requests.length, other.requests.length]).to.deep.equal([1, 1]);
  });

  it('an upload that one of them resets is answered 502: its body has gone', async () => {
    await using stage = await failingAnd((incoming) =>
      incoming.once('data', () => incoming.socket.destroy()),
    );
    const upload = { method: 'PUT', body: 'body' };
    expect((await request({ port: stage.front.port, name: 'a.test', ...upload })).status).to.equal(502);
    expect(stage.other.requests).to.have.length(0);
  });

  it('the other one is not asked when one is out of time, or talks nonsense', async () => {
    const cases: [RequestListener, status: number][] = [
      [() => undefined, 504],
      [({ socket }) => void socket.end('220 mail.test ESMTP\r\n\r\n'), 502],
    ];
    for (const [listener, expected] of cases) {
      await using failing = await startBackend(listener);
      await using other = await startBackend(answer);
      const limits = { backendHeadersTimeoutMs: 100 };
      await using front = await startFront({ backends: [failing.url, other.url], limits });
      expect((await request({ port: front.port, name: 'a.test' })).status).to.equal(expected);
      expect([failing.requests.length, other.requests.length]).to.deep.equal([1, 0]);
    }
  });

  it('the other one is not asked for a client that has gone', async () => {
    const waiting: IncomingMessage[] = [];
    await using stage = await failingAnd((incoming) => waiting.push(incoming));
    const { other, front } = stage;
    using client = await RawClient.connect(front.port, 'a.test');
    client.send('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n');
    await eventually('the first has it', () => waiting.length === 1);
    client.socket.destroy();
    await eventually('the first knows', () => waiting[0]?.socket.destroyed === true);
    expect((await request({ port: front.port, name: 'a.test' })).status).to.equal(200);
    expect(other.requests).to.have.length(1);
  });

  it('the other one is asked in a drain too, and after a reload that has changed both', async () => {
    for (const change of [
      (front: Front) => front.frontend.drain(0),
      (front: Front) => front.configure({ backends: [] }),
    ]) {
      const waiting: IncomingMessage[] = [];
      await using stage = await failingAnd((incoming) => waiting.push(incoming));
      const { front } = stage;
      const answered = request({ port: front.port, name: 'a.test' });
      await eventually('the first has it', () => waiting.length === 1);
      change(front);
      waiting[0]?.socket.resetAndDestroy();
      expect(await answered).to.include({ status: 200, body: 'answered' });
    }
  });

  it('an upgrade that one of them resets is made by the other, with what the client has sent behind it', async () => {
    await using failing = await startBackend();
    await using other = await startBackend();
    const asked: string[] = [];
    failing.server.on('upgrade', (_: IncomingMessage, socket: Duplex) => {
      asked.push('failing');
      socket.destroy();
    });
    other.server.on('upgrade', (_: IncomingMessage, socket: Duplex, head: Buffer) => {
      asked.push('other');
      socket.write('HTTP/1.1 101 Changed\r\nConnection: Upgrade\r\nUpgrade: own\r\n\r\n');
      if (head.length > 0) socket.write(head);
      socket.on('error', () => undefined).on('data', (chunk) => socket.write(chunk));
    });
    const upgrade = (method: string): string =>
      `${method} / HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: own\r\n\r\nearly`;
    await using front = await startFront({ backends: [failing.url, other.url] });
    using client = await RawClient.connect(front.port, 'a.test');
    client.send(upgrade('GET'));
    await client.until('it is upgraded', ({ received }) => received.endsWith('\r\n\r\nearly'));
    expect(client.received).to.match(/^HTTP\/1\.1 101 /);
    expect(asked).to.deep.equal(['failing', 'other']);
    // The failing one has nothing under way, so it is asked first again.
    using posting = await RawClient.connect(front.port, 'a.test');
    expect(await posting.send(upgrade('POST')).closed()).to.match(/^HTTP\/1\.1 502 /);
    expect(asked).to.deep.equal(['failing', 'other', 'failing']);
  });

  const streams: [how: string, (stream: ServerHttp2Stream) => void, method: string, status: number][] = [
    ['closes the connection of', ({ session }) => session?.destroy(), 'GET', 200],
    ['closes the connection of', ({ session }) => session?.destroy(), 'POST', 502],
    ['resets', (stream) => stream.close(constants.NGHTTP2_INTERNAL_ERROR), 'GET', 200],
    ['resets', (stream) => stream.close(constants.NGHTTP2_INTERNAL_ERROR), 'POST', 502],
    ['refuses', (stream) => stream.close(constants.NGHTTP2_REFUSED_STREAM), 'POST', 200],
    [
      'says GOAWAY with an error to',
      ({ session }) => session?.goaway(constants.NGHTTP2_INTERNAL_ERROR),
      'GET',
      200,
    ],
    ['finds a protocol error in', (stream) => stream.close(constants.NGHTTP2_PROTOCOL_ERROR), 'GET', 502],
  ];
  for (const [how, fail, method, expected] of streams) {
    it(`one on HTTP/2 that ${how} a ${method} has it ${expected === 200 ? 'answered by the other' : 'answered 502'}`, async () => {
      await using failing = await startH2Backend(fail);
      await using other = await startH2Backend((stream) => {
        stream.respond({ ':status': 200 });
        stream.end('answered');
      });
      await using front = await startFront({ backends: [failing.url, other.url] });
      expect((await request({ port: front.port, name: 'a.test', method })).status).to.equal(expected);
      expect([failing.requests.length, other.requests.length]).to.deep.equal([1, expected === 200 ? 1 : 0]);
    });
  }

  it('the other one is not asked when one is to speak HTTP/2 and does not', async () => {
    await using failing = await startRaw((socket, _, index) => {
      // Behind the preface and the settings comes the request.
      if ((failing.read[index]?.join('').length ?? 0) > 100) socket.write('HTTP/1.1 400 Bad Request\r\n\r\n');
    });
    await using other = await startBackend(answer);
    await using front = await startFront({ backends: [`h2+${failing.origin}`, other.url] });
    expect((await request({ port: front.port, name: 'a.test' })).status).to.equal(502);
    expect([failing.sockets.length, other.requests.length]).to.deep.equal([1, 0]);
  });
});

describe('One backend alone', () => {
  it('that closes all its kept connections at once gets the request on a new one', async () => {
    let isClosing = false;
    const waiting: (() => void)[] = [];
    await using backend = await startBackend(({ socket, url }, response) => {
      if (url === '/together') {
        waiting.push(() => response.end());
        // All on connections of their own.
        if (waiting.length === 3) for (const one of waiting) one();
      } else if (isClosing && socket.bytesWritten > 0) {
        socket.destroy();
      } else response.end('answered');
    });
    await using front = await startFront({ backends: [backend.url] });
    const get = (path: string): ReturnType<typeof request> =>
      request({ port: front.port, name: 'a.test', path });
    await Promise.all([get('/together'), get('/together'), get('/together')]);
    isClosing = true;
    expect(await get('/')).to.include({ status: 200, body: 'answered' });
    expect(backend.connections).to.equal(4);
  });
});
