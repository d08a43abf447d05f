/**
 * HTTP/2 to a backend.
 */
import { expect } from 'chai';
import { once } from 'node:events';
import { constants, sensitiveHeaders, type ServerHttp2Stream } from 'node:http2';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { request } from '../../support/client.js';
import { eventually } from '../../support/eventually.js';
import { startFront } from '../../support/front.js';
import { startH2Backend } from '../../support/h2-backend.js';
import { H2Client, responseOf } from '../../support/h2-client.js';
import { RawClient } from '../../support/raw-client.js';

const MIB = 1024 ** 2;
const ok = (stream: ServerHttp2Stream, text = 'ok'): void => {
  stream.respond({ ':status': 200 });
  stream.end(text);
};

describe('An HTTP/2 backend', () => {
  it('is asked on one connection, many requests at once, by clients of HTTP/1.1 and of HTTP/2', async () => {
    const waiting: (() => void)[] = [];
    await using backend = await startH2Backend((stream, headers) => {
      waiting.push(() => ok(stream, `answer to ${headers[':path'] ?? ''}`));
      // All of them are there before the first is answered.
      if (waiting.length === 20) for (const answer of waiting) answer();
    });
    await using front = await startFront({ backends: [backend.url] });
    using client = await H2Client.connect(front.port, 'a.test');
    const paths = Array.from({ length: 10 }, (_, i) => `/${i}`);
    const answers = await Promise.all([
      ...paths.map((path) => client.request({ ':path': path })),
      ...paths.map((path) => request({ port: front.port, name: 'a.test', path })),
    ]);
    expect(answers.map(({ body }) => body)).to.deep.equal(
      [...paths, ...paths].map((path) => `answer to ${path}`),
    );
    expect(backend.sessions).to.have.length(1);
    expect(backend.requests[0]).to.include({
      ...{ ':method': 'GET', ':authority': 'a.test', ':scheme': 'http', te: 'trailers' },
      ...{ 'x-forwarded-for': '127.0.0.1', 'x-forwarded-proto': 'https' },
    });
    expect(backend.requests[0]).not.to.have.any.keys('connection', 'host');
  });

  it('sees requests as they are, also what repeats a field that may be there once', async () => {
    await using backend = await startH2Backend((stream) =>
      stream.respond({ ':status': 204 }, { endStream: true }),
    );
    await using front = await startFront({ backends: [backend.url] });
    using client = await RawClient.connect(front.port, 'a.test');
    client.send(
      [
        ...['DELETE /a%2Fb?c HTTP/1.1', 'Host: a.test:8443', 'User-Agent: one', 'User-Agent: two'],
        ...['Cookie: a=1; b=2', 'X-A: 1', 'X-A: 2', 'Connection: close', '', ''],
      ].join('\r\n'),
    );
    expect(await client.closed()).to.match(/^HTTP\/1\.1 204 /);
    expect(backend.requests[0]).to.include({
      ...{ ':method': 'DELETE', ':path': '/a%2Fb?c', ':authority': 'a.test:8443' },
      ...{ 'user-agent': 'one', cookie: 'a=1; b=2', 'x-a': '1, 2' },
    });
  });

  it('is told which fields must never be indexed, and its own that must not are sent so', async () => {
    await using backend = await startH2Backend((stream) => {
      stream.respond({ ':status': 200, 'x-token': 'b', 'x-plain': 'c', [sensitiveHeaders]: ['x-token'] });
      stream.end();
    });
    await using front = await startFront({ backends: [backend.url] });
    using client = await H2Client.connect(front.port, 'a.test');
    const { headers } = await client.request({ 'x-key': 'a', 'x-open': 'd', [sensitiveHeaders]: ['x-key'] });
    const [asked = {}] = backend.requests;
    expect(asked).to.include({ 'x-key': 'a', 'x-open': 'd' });
    expect(asked).to.have.property(sensitiveHeaders).that.deep.equals(['x-key']);
    expect(headers).to.include({ 'x-token': 'b', 'x-plain': 'c' });
    expect(headers).to.have.property(sensitiveHeaders).that.deep.equals(['x-token']);
  });

  it('gets bodies and trailers, and its own trailers arrive: a gRPC call', async () => {
    await using backend = await startH2Backend((stream) => {
      let trailers: object = {};
      stream.on('trailers', (fields: object) => (trailers = { ...fields }));
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () =>
        stream.sendTrailers({ 'grpc-status': '0', 'x-got': JSON.stringify(trailers) }),
      );
      stream.pipe(stream);
    });
    await using front = await startFront({ backends: [backend.url] });
    using client = await H2Client.connect(front.port, 'a.test');
    const answer = await client.request({ ':method': 'POST', ':path': '/pkg.Service/Call' }, 'message', {
      'x-sum': '7',
    });
    expect(answer).to.include({ status: 200, body: 'message', isWhole: true });
    expect(answer.trailers).to.include({ 'grpc-status': '0', 'x-got': '{"x-sum":"7"}' });
  });

  it('gets the trailers of an HTTP/1.1 client, but for those that are fields of the hop', async () => {
    const got: object[] = [];
    await using backend = await startH2Backend((stream) => {
      stream.on('trailers', (fields: object) => got.push(JSON.parse(JSON.stringify(fields)) as object));
      stream.on('end', () => ok(stream));
      stream.resume();
    });
    await using front = await startFront({ backends: [backend.url] });
    using client = await RawClient.connect(front.port, 'a.test');
    client.send('POST / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n');
    client.send('1\r\nx\r\n0\r\nX-Sum: 1\r\nConnection: x\r\n\r\n');
    expect(await client.closed()).to.match(/^HTTP\/1\.1 200 /);
    expect(got).to.deep.equal([{ 'x-sum': '1' }]);
  });

  it('that fails a call in its head alone ends the stream with that head', async () => {
    await using backend = await startH2Backend((stream) =>
      stream.respond({ ':status': 200, 'grpc-status': '5' }, { endStream: true }),
    );
    await using front = await startFront({ backends: [backend.url] });
    using client = await H2Client.connect(front.port, 'a.test');
    const stream = client.open({ ':method': 'POST' }, { isOpen: true });
    const [headers, flags] = (await once(stream, 'response')) as [Record<string, string>, number];
    expect(headers).to.include({ 'grpc-status': '5' });
    expect(flags & constants.NGHTTP2_FLAG_END_STREAM).not.to.equal(0);
    using old = await RawClient.connect(front.port, 'a.test');
    old.send('GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n');
    expect(await old.closed()).to.match(/^HTTP\/1\.1 200 [^]*grpc-status: 5\r\n[^]*\r\n\r\n(?:0\r\n\r\n)?$/);
  });

  it('talks with its client both ways at once, as long as they like', async () => {
    await using backend = await startH2Backend((stream) => {
      stream.respond({ ':status': 200 });
      stream.on('data', (chunk: Buffer) => stream.write(`got ${String(chunk)};`));
      stream.on('end', () => stream.end());
    });
    await using front = await startFront({ backends: [backend.url] });
    using client = await H2Client.connect(front.port, 'a.test');
    const stream = client.open({ ':method': 'POST' }, { isOpen: true });
    for (const text of ['one', 'two', 'three']) {
      stream.write(text);
      const [chunk] = (await once(stream, 'data')) as [Buffer];
      expect(String(chunk)).to.equal(`got ${text};`);
    }
    stream.end();
    expect(await responseOf(stream)).to.include({ isWhole: true });
  });

  it('is connected to again when it has closed the connection', async () => {
    await using backend = await startH2Backend((stream) => ok(stream));
    await using front = await startFront({ backends: [backend.url] });
    const get = async (): Promise<number> => (await request({ port: front.port, name: 'a.test' })).status;
    expect(await get()).to.equal(200);
    for (const end of ['close', 'destroy'] as const) {
      const session = backend.sessions.at(-1)!;
      const closed = once(session, 'close');
      session[end]();
      await closed;
      expect(await get()).to.equal(200);
    }
    expect(backend.sessions).to.have.length(3);
    expect(front.log).to.deep.equal([]);
  });

  it('that says GOAWAY finishes what it has begun, and gets new requests on a new connection', async () => {
    const streams: ServerHttp2Stream[] = [];
    await using backend = await startH2Backend((stream) => {
      streams.push(stream);
      if (streams.length > 1) ok(stream, 'second');
    });
    await using front = await startFront({ backends: [backend.url] });
    const first = request({ port: front.port, name: 'a.test' });
    await eventually('the first is there', () => streams.length === 1);
    backend.sessions[0]?.close();
    await new Promise((resolve) => backend.sessions[0]?.ping(() => resolve(undefined)));
    expect(await request({ port: front.port, name: 'a.test' })).to.include({ body: 'second' });
    ok(streams[0]!, 'first');
    expect(await first).to.include({ status: 200, body: 'first' });
    expect(backend.sessions).to.have.length(2);
  });

  it('that refuses a stream gets it once more: it has not looked at it', async () => {
    let count = 0;
    await using backend = await startH2Backend((stream) => {
      count += 1;
      if (count === 1) stream.close(constants.NGHTTP2_REFUSED_STREAM);
      else ok(stream);
    });
    await using front = await startFront({ backends: [backend.url] });
    const { status } = await request({ port: front.port, name: 'a.test', method: 'POST' });
    expect({ status, count }).to.deep.equal({ status: 200, count: 2 });
  });

  it('that allows few streams at once gets more connections', async () => {
    const streams: ServerHttp2Stream[] = [];
    await using backend = await startH2Backend((stream) => streams.push(stream), {
      settings: { maxConcurrentStreams: 1 },
    });
    await using front = await startFront({ backends: [backend.url] });
    const answers: Promise<{ status: number }>[] = [];
    for (const count of [1, 2, 3]) {
      answers.push(request({ port: front.port, name: 'a.test' }));
      await eventually(`${count} are there`, () => streams.length === count);
    }
    for (const stream of streams) ok(stream);
    expect((await Promise.all(answers)).map(({ status }) => status)).to.deep.equal([200, 200, 200]);
    expect(backend.sessions).to.have.length(3);
  });

  it('that cuts a response in the middle has it cut for the client', async () => {
    await using backend = await startH2Backend((stream) => {
      stream.respond({ ':status': 200 });
      stream.write('half', () => stream.destroy(new Error('cut')));
    });
    await using front = await startFront({ backends: [backend.url] });
    using client = await H2Client.connect(front.port, 'a.test');
    expect(await client.request()).to.include({ status: 200, isWhole: false });
    using old = await RawClient.connect(front.port, 'a.test');
    old.send('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n');
    expect(await old.closed()).not.to.match(/\r\n0\r\n\r\n$/);
  });

  it('hears of a client that has gone', async () => {
    const streams: ServerHttp2Stream[] = [];
    await using backend = await startH2Backend((stream) => streams.push(stream));
    await using front = await startFront({ backends: [backend.url] });
    using client = await H2Client.connect(front.port, 'a.test');
    const stream = client.open({ ':method': 'POST' }, { isOpen: true });
    await eventually('the request is there', () => streams.length === 1);

    stream.close(constants.NGHTTP2_CANCEL);
    await eventually('the backend knows', () => streams[0]?.rstCode === constants.NGHTTP2_CANCEL);
    expect(front.log.filter(({ level }) => level === 'err')).to.deep.equal([]);
  });

  it('never takes half a body for a whole one when the client goes away in the middle', async () => {
    // By the frame: Node's own server shows both as an end.
    const frames: [type: number, flags: number][] = [];
    const sockets: Socket[] = [];
    const server = createServer((socket) => {
      sockets.push(socket.on('error', () => undefined));
      socket.write(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]));
      let pending = Buffer.alloc(0);
      let start = 24;
      socket.on('data', (chunk: Buffer) => {
        pending = Buffer.concat([pending, chunk]);
        while (pending.length >= start + 9 && pending.length >= start + 9 + pending.readUIntBE(start, 3)) {
          frames.push([pending[start + 3] ?? 0, pending[start + 4] ?? 0]);
          start += 9 + pending.readUIntBE(start, 3);
        }
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const { port } = server.address() as AddressInfo;
      await using front = await startFront({ backends: [`h2+http://127.0.0.1:${port}`] });
      using client = await RawClient.connect(front.port, 'a.test');
      client.send('POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n');
      const [DATA, RST_STREAM, END_STREAM] = [0, 3, 1];
      await eventually('the half is there', () => frames.some(([type]) => type === DATA));
      client.socket.destroy();
      await eventually('the stream is reset', () => frames.some(([type]) => type === RST_STREAM));
      const isEnded = frames.some(([type, flags]) => type === DATA && (flags & END_STREAM) !== 0);
      expect(isEnded).to.equal(false);
    } finally {
      for (const socket of sockets) socket.destroy();
      server.close();
    }
  });

  it('has to wait for a client that reads slowly, and the client for a backend that does', async () => {
    let sent = 0;
    await using backend = await startH2Backend((stream, headers) => {
      stream.respond({ ':status': 200 });
      if (headers[':path'] === '/up') return;
      const pump = (): void => {
        while (sent < 100 * MIB && !stream.destroyed) {
          sent += MIB;
          if (!stream.write(Buffer.alloc(MIB))) {
            stream.once('drain', pump);
            return;
          }
        }
      };
      pump();
    });
    await using front = await startFront({ backends: [backend.url] });
    using client = await H2Client.connect(front.port, 'a.test');
    await once(client.open(), 'response');
    const upload = client.open({ ':method': 'POST', ':path': '/up' }, { isOpen: true });
    let taken = 0;
    const push = (): void => {
      while (taken < 100 * MIB && !upload.destroyed) {
        taken += 65_536;
        if (!upload.write(Buffer.alloc(65_536))) {
          upload.once('drain', push);
          return;
        }
      }
    };
    push();
    await eventually('both are held up', async () => {
      const earlier = sent + taken;
      await new Promise((resolve) => setTimeout(resolve, 300));
      return sent > 0 && taken > 0 && sent + taken === earlier;
    });
    expect(sent).to.be.below(20 * MIB);
    expect(taken).to.be.below(20 * MIB);
  });

  describe('is given up', () => {
    it('with 502 when it cannot be connected, and the next one is asked', async () => {
      await using front = await startFront({ backends: ['h2+http://127.0.0.1:1'] });
      expect(await request({ port: front.port, name: 'a.test' })).to.include({ status: 502 });
      await using backend = await startH2Backend(
        (stream) => void stream.resume().on('end', () => ok(stream)),
      );
      await using two = await startFront({ backends: ['h2+http://127.0.0.1:1', backend.url] });
      const upload = { method: 'POST', body: 'x'.repeat(100_000) };
      expect(await request({ port: two.port, name: 'a.test', ...upload })).to.include({ status: 200 });
    });

    it('with 504 when it does not speak, and not asked on that connection again', async () => {
      const sockets: Socket[] = [];
      const mute = createServer((socket) => sockets.push(socket.on('error', () => undefined))).listen(
        0,
        '127.0.0.1',
      );
      await once(mute, 'listening');
      const address = mute.address();
      const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
      try {
        await using front = await startFront({
          backends: [`h2+http://127.0.0.1:${port}`],
          limits: { backendHeadersTimeoutMs: 100 },
        });
        for (const connections of [1, 2]) {
          expect(await request({ port: front.port, name: 'a.test' })).to.include({ status: 504 });
          expect(sockets).to.have.length(connections);
        }
      } finally {
        for (const socket of sockets) socket.destroy();
        mute.close();
      }
    });

    it('when it stops in the middle of a body, the client cut off', async () => {
      await using backend = await startH2Backend((stream) => {
        stream.respond({ ':status': 200 });
        stream.write('half');
      });
      await using front = await startFront({
        backends: [backend.url],
        limits: { backendBodyTimeoutMs: 100 },
      });
      using client = await H2Client.connect(front.port, 'a.test');
      expect(await client.request()).to.include({ status: 200, body: 'half', isWhole: false });
    });
  });

  it('is let go of in a reload when its requests have ended', async () => {
    const streams: ServerHttp2Stream[] = [];
    await using backend = await startH2Backend((stream) => streams.push(stream));
    await using front = await startFront({ backends: [backend.url] });
    const answer = request({ port: front.port, name: 'a.test' });
    await eventually('the request is there', () => streams.length === 1);
    front.configure({ backends: [] });
    ok(streams[0]!, 'late');
    expect(await answer).to.include({ status: 200, body: 'late' });
    await eventually('the connection is closed', () => backend.sessions[0]?.destroyed === true);
  });
});
