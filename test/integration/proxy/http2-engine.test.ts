/**
 * What only the engine of our own can be held to: clients that take nothing, ask for too much at once, or do not know yet that they are
 * to go.
 */
import { expect } from 'chai';
import { startBackend, type Backend } from '../../support/backend.js';
import { eventually } from '../../support/eventually.js';
import { startFront, type Front, type FrontOptions } from '../../support/front.js';
import {
  ACK,
  block,
  DATA,
  EMPTY,
  END_HEADERS,
  END_STREAM,
  frame,
  FrameClient,
  GOAWAY,
  HEADERS,
  PING,
  RST_STREAM,
  SETTINGS,
  u32,
  WINDOW_UPDATE,
  type Field,
  type ReceivedFrame,
  setting,
} from '../../support/raw-h2.js';

const NAME = 'a.test';
const PROTOCOL_ERROR = 1;
const CANCEL = 8;
const ENHANCE_YOUR_CALM = 11;
const PRIORITY_UPDATE = 0x10;
const LARGE_BYTES = 40_000;
/** More than all buffers between a backend and a client. */
const MUCH_BYTES = 32 * 1024 ** 2;
const MANY_STREAMS = 120;
const FIRST_WINDOW_BYTES = 65_535;

const head = (
  stream: number,
  path: string,
  method = 'GET',
  flags = END_STREAM | END_HEADERS,
  more: readonly Field[] = [],
): Buffer => {
  const fields: Field[] = [
    [':method', method],
    [':path', path],
    [':scheme', 'https'],
    [':authority', NAME],
    ...more,
  ];
  return frame(HEADERS, flags, stream, block(fields));
};
const windowSetting = (bytes: number): Buffer => setting(4, bytes);

/** Of the bodies. */
const bytesOf = (frames: readonly ReceivedFrame[]): number =>
  frames.reduce((sum, { type, payload }) => sum + (type === DATA ? payload.length : 0), 0);

describe('The HTTP/2 engine of our own', () => {
  let backend: Backend;
  const held: (() => void)[] = [];
  let finished = 0;

  before(async () => {
    backend = await startBackend((incoming, response) => {
      incoming.resume();
      if (incoming.url === '/much') response.end(Buffer.alloc(MUCH_BYTES));
      else if (incoming.url === '/held') held.push(() => response.end('at last'));
      else if (incoming.url?.startsWith('/large') === true) {
        if (incoming.url === '/large?urgent') response.setHeader('Priority', 'u=0');
        response.on('finish', () => (finished += 1)).end(Buffer.alloc(LARGE_BYTES));
      } else response.end('answer');
    });
  });
  after(() => backend[Symbol.asyncDispose]());

  const start = (options: FrontOptions = {}): Promise<Front> =>
    startFront({ ...options, settings: { http2Engine: 'own' } });

  it('reads no more from a client that takes none of its answers, and ends it in time', async () => {
    await using front = await start({ backends: [backend.url], limits: { bodyTimeoutMs: 1_000 } });
    using client = await FrameClient.connect(front.port, NAME);
    // A body fills what lies between it and us, which heads alone would take long for.
    const windows = [
      frame(SETTINGS, 0, 0, windowSetting(MUCH_BYTES)),
      frame(WINDOW_UPDATE, 0, 0, u32(MUCH_BYTES)),
    ];
    client.send(...windows, head(1, '/much'));
    await client.until('the body comes', (seen) => seen.of(DATA, 1).length > 0);
    client.socket.pause();
    // Answers that are heads alone know no windows. No backend is asked for these, and no more are sent at once than streams may be.
    let next = 3;
    while (front.openPorts.length > 0) {
      const heads = Array.from({ length: MANY_STREAMS }, (_, i) =>
        head(next + 2 * i, '/', 'HEAD', undefined, [['host', 'b.test']]),
      );
      client.send(...heads);
      next += 2 * MANY_STREAMS;
      const answers = (next - 3) / 2;
      await eventually(
        'they are answered, or the connection is ended',
        () => front.log.length >= answers || front.openPorts.length === 0,
      );
    }
    expect(front.log.map(({ msg }) => msg)).not.to.include('HTTP/2 client cut off');
  });

  it('resets a stream of whose page the client takes nothing', async () => {
    await using front = await start({ limits: { bodyTimeoutMs: 500 } });
    using client = await FrameClient.connect(front.port, NAME);
    client.send(frame(SETTINGS, 0, 0, windowSetting(0)), head(1, '/'));
    await client.until('the head has come', (seen) => seen.of(HEADERS, 1).length === 1);
    await client.until('it is reset', (seen) => seen.of(RST_STREAM, 1).length === 1);
    expect(client.of(RST_STREAM, 1)[0]?.payload.readUInt32BE(0)).to.equal(CANCEL);
    client.send(frame(SETTINGS, 0, 0, windowSetting(65_535)), head(3, '/'));
    await client.until('another one is answered', (seen) => seen.of(DATA, 3).length > 0);
  });

  it('ends a client that sends hundreds of settings in a frame', async () => {
    await using front = await start();
    using client = await FrameClient.connect(front.port, NAME);
    client.send(frame(SETTINGS, 0, 0, Buffer.concat(Array.from({ length: 33 }, (_, i) => windowSetting(i)))));
    await client.until('it hears why', (seen) => seen.of(GOAWAY, 0).length === 1);
    expect(client.of(GOAWAY, 0)[0]?.payload.readUInt32BE(4)).to.equal(ENHANCE_YOUR_CALM);
    expect(front.log.map(({ msg }) => msg)).to.include('HTTP/2 client cut off');
  });

  it('sends first what is urgent, by what the request says, a PRIORITY_UPDATE, or the response', async () => {
    await using front = await start({ backends: [backend.url] });
    using client = await FrameClient.connect(front.port, NAME);
    const get = (stream: number, path: string, priority?: string): Buffer =>
      head(stream, path, 'GET', undefined, priority === undefined ? [] : [['priority', priority]]);
    const update = (stream: number, value: string): Buffer =>
      frame(PRIORITY_UPDATE, 0, 0, Buffer.concat([u32(stream), Buffer.from(value)]));
    const windowOf = (stream: number): Buffer => frame(WINDOW_UPDATE, 0, stream, u32(1_000_000));
    // Two of them use up the window of the connection, and wait with the rest.
    client.send(get(1, '/large', 'u=7'), get(3, '/large', 'u=7'));
    await client.until('the window is used up', ({ frames }) => bytesOf(frames) === FIRST_WINDOW_BYTES);
    client.send(
      update(9, 'u=1'),
      ...[
        get(5, '/large', 'u=4'),
        get(7, '/large', 'u=2'),
        get(9, '/large', 'u=6'),
        get(11, '/large?urgent'),
      ],
      ...[
        get(13, '/large', 'u=5'),
        update(13, 'u=3'),
        get(15, '/large', 'u=5, i'),
        get(17, '/large', 'u=5, i'),
      ],
    );
    await eventually('the backend has sent it all', () => finished === 9);
    // When this has been answered, what came before it has been read.
    client.send(head(19, '/', 'HEAD'));
    await client.until('it is answered', (seen) => seen.of(HEADERS, 19).length === 1);
    const from = client.frames.length;
    client.send(...[5, 7, 9, 11, 13, 15, 17].map(windowOf), windowOf(0));
    await client.until('all has come', ({ frames }) => bytesOf(frames) === 9 * LARGE_BYTES);
    const order = client.frames.slice(from).filter((each) => each.type === DATA && each.payload.length > 0);
    const turns = order.map(({ stream }) => stream).filter((stream, i, all) => stream !== all[i - 1]);
    const [first, shared, last] = [turns.slice(0, 5), turns.slice(5, -1), turns.slice(-1)];
    expect(first).to.deep.equal([11, 9, 7, 13, 5]);
    expect(shared.length).to.be.above(4);
    expect(new Set(shared)).to.deep.equal(new Set([15, 17]));
    expect(last).to.deep.equal([3]);
  });

  it('ends a client that gives a priority to a stream that is not its own', async () => {
    await using front = await start();
    using client = await FrameClient.connect(front.port, NAME);
    client.send(frame(PRIORITY_UPDATE, 0, 0, Buffer.concat([u32(2), Buffer.from('u=1')])));
    await client.until('it hears why', (seen) => seen.of(GOAWAY, 0).length === 1);
    expect(client.of(GOAWAY, 0)[0]?.payload.readUInt32BE(4)).to.equal(PROTOCOL_ERROR);
  });

  it('answers what a client has sent before it heard of the drain, and ends within a round trip', async () => {
    await using front = await start({ backends: [backend.url] });
    using client = await FrameClient.connect(front.port, NAME);
    await client.until('it is greeted', (seen) => seen.of(SETTINGS, 0).length > 0);
    front.frontend.drain(0);
    await client.until(
      'it is told',
      (seen) => seen.of(GOAWAY, 0).length === 1 && seen.of(PING, 0).length === 1,
    );
    client.send(head(1, '/'), frame(PING, ACK, 0, client.of(PING, 0)[0]?.payload ?? EMPTY), head(3, '/late'));
    await client.until('it is answered', (seen) => seen.of(DATA, 1).length > 0);
    await client.until('the connection is closed', ({ isClosed }) => isClosed);
    const lastIds = client.of(GOAWAY, 0).map(({ payload }) => payload.readUInt32BE(0));
    expect(lastIds).to.deep.equal([0x7fff_ffff, 1]);
    expect(client.of(HEADERS, 3)).to.deep.equal([]);
    expect(backend.requests.map(({ url }) => url)).not.to.include('/late');
  });

  it('drops what a client sends before it has heard the last GOAWAY, and answers what it has taken', async () => {
    await using front = await start({ backends: [backend.url] });
    using client = await FrameClient.connect(front.port, NAME);
    client.send(head(1, '/held'));
    await eventually('the backend has the request', () => held.length === 1);
    front.frontend.drain(0);
    await client.until('both have come', (seen) => seen.of(GOAWAY, 0).length === 2);
    expect(client.of(GOAWAY, 0).map(({ payload }) => payload.readUInt32BE(0))).to.deep.equal([
      0x7fff_ffff, 1,
    ]);
    client.send(
      head(3, '/late', 'POST', END_HEADERS),
      frame(WINDOW_UPDATE, 0, 3, u32(65_535)),
      frame(DATA, END_STREAM, 3, Buffer.from('late')),
      frame(RST_STREAM, 0, 3, u32(CANCEL)),
    );
    held.pop()?.();
    await client.until('the answer has come', (seen) => seen.of(DATA, 1).length > 0);
    expect(Buffer.concat(client.of(DATA, 1).map(({ payload }) => payload)).toString()).to.equal('at last');
    await client.until('the connection is closed', ({ isClosed }) => isClosed);
    expect(client.of(GOAWAY, 0)).to.have.length(2);
    expect(backend.requests.map(({ url }) => url)).not.to.include('/late');
  });
});
