/**
 * How much an HTTP/2 client may send before somebody has taken it.
 */
import { expect } from 'chai';
import type { ClientHttp2Stream, ServerHttp2Stream } from 'node:http2';
import { eventually, eventuallySees } from '../../support/eventually.js';
import { startFront } from '../../support/front.js';
import { H2Client, responseOf } from '../../support/h2-client.js';
import { startH2Backend } from '../../support/h2-backend.js';
import { startSlowLine } from '../../support/slow-line.js';

const MIB = 1024 ** 2;
const NAME = 'a.test';

/** Sends a body of this many bytes. */
function upload(client: H2Client, path: string, bytes: number): ClientHttp2Stream {
  const stream = client.open({ ':method': 'POST', ':path': path }, { isOpen: true });
  let left = bytes;
  const pump = (): void => {
    while (left > 0 && !stream.destroyed) {
      left -= 65_536;
      if (!stream.write(Buffer.alloc(65_536))) return;
    }
    if (!stream.writableEnded) stream.end();
  };
  stream.on('drain', pump);
  pump();
  return stream;
}

function answer(stream: ServerHttp2Stream): void {
  if (stream.destroyed) return;
  stream.respond();
  stream.end('taken');
}

const sentBytes = (client: H2Client): number => client.session.socket.bytesWritten;

/** What a client has sent when it cannot send more. */
async function untilHeldUp(client: H2Client): Promise<number> {
  let earlier = -1;
  return eventuallySees(
    'it is held up',
    async () => {
      earlier = sentBytes(client);
      await new Promise((resolve) => setTimeout(resolve, 500));
      return sentBytes(client);
    },
    (sent) => sent === earlier,
  );
}

describe('The receive windows of an HTTP/2 connection', () => {
  it('are 1 MiB for a stream and 4 MiB for all', async () => {
    await using backend = await startH2Backend((stream) => stream.resume().respond());
    await using front = await startFront({ backends: [backend.url] });
    using client = await H2Client.connect(front.port, NAME);
    await eventually('the window has come', () => client.session.state.remoteWindowSize === 4 * MIB);
    expect(client.session.remoteSettings.initialWindowSize).to.equal(MIB);
  });

  it('grow on a line that carries more, and bound what is held then as well', async () => {
    const waiting: ServerHttp2Stream[] = [];
    await using backend = await startH2Backend((stream, headers) => {
      stream.on('end', () => answer(stream));
      if (headers[':path'] === '/taken') stream.resume();
      else waiting.push(stream.pause());
    });
    await using front = await startFront({ backends: [backend.url] });
    await using line = await startSlowLine(front.port, 50);
    using client = await H2Client.connect(line.port, NAME);
    expect(await responseOf(upload(client, '/taken', 8 * MIB))).to.include({ body: 'taken' });
    expect(client.session.remoteSettings.initialWindowSize).to.equal(4 * MIB);
    const earlier = sentBytes(client);
    const streams = Array.from({ length: 25 }, () => upload(client, '/', 4 * MIB));
    const answers = streams.map(responseOf);
    await eventually('the backend has all requests', () => waiting.length === 25);
    // 7 MiB held, 8 MiB for the window, the rest in the pieces under way of each stream and in the windows of the backend.
    expect(((await untilHeldUp(client)) - earlier) / MIB).to.be.within(7, 24);
    for (const stream of waiting) stream.resume();
    const bodies = (await Promise.all(answers)).map(({ body }) => body);
    expect(bodies).to.deep.equal(bodies.map(() => 'taken'));
  });

  it('do not grow where the backend takes less than the line carries', async () => {
    await using backend = await startH2Backend((stream) => {
      stream.on('end', () => answer(stream));
      // 16 KiB each 10 ms: a sixth of a window a round trip.
      stream.on('data', () => {
        stream.pause();
        setTimeout(() => stream.resume(), 10);
      });
    });
    await using front = await startFront({ backends: [backend.url] });
    await using line = await startSlowLine(front.port, 50);
    using client = await H2Client.connect(line.port, NAME);
    expect(await responseOf(upload(client, '/', 2 * MIB))).to.include({ body: 'taken' });
    expect(client.session.remoteSettings.initialWindowSize).to.equal(MIB);
  });

  it('let an upload go on beside one whose backend takes nothing', async () => {
    await using backend = await startH2Backend((stream, headers) => {
      stream.on('end', () => answer(stream));
      if (headers[':path'] === '/taken') stream.resume();
      else stream.pause();
    });
    await using front = await startFront({ backends: [backend.url] });
    await using line = await startSlowLine(front.port, 20);
    using client = await H2Client.connect(line.port, NAME);
    await responseOf(upload(client, '/taken', 8 * MIB));
    const stuck = upload(client, '/', 16 * MIB);
    await untilHeldUp(client);
    expect(await responseOf(upload(client, '/taken', 8 * MIB))).to.include({ body: 'taken' });
    stuck.close(8);
  });

  it('bound what is held for backends that take nothing, and open again when they do', async () => {
    const waiting: ServerHttp2Stream[] = [];
    await using backend = await startH2Backend((stream) => {
      stream.on('end', () => answer(stream));
      waiting.push(stream.pause());
    });
    await using front = await startFront({ backends: [backend.url] });
    using client = await H2Client.connect(front.port, NAME);
    const streams = Array.from({ length: 100 }, () => upload(client, '/', MIB));
    const answers = streams.map(responseOf);
    await eventually('the backend has all requests', () => waiting.length === 100);
    // 4 MiB for the window, the rest in the pieces under way of each stream and in the windows of the backend.
    expect((await untilHeldUp(client)) / MIB).to.be.within(4, 40);
    for (const stream of waiting) stream.resume();
    const bodies = (await Promise.all(answers)).map(({ body }) => body);
    expect(bodies).to.deep.equal(bodies.map(() => 'taken'));
  });

  it('open again when streams end of which nobody has taken anything', async () => {
    await using backend = await startH2Backend((stream, headers) => {
      if (headers[':path'] !== '/taken') return;
      stream.resume().on('end', () => answer(stream));
    });
    await using front = await startFront({ backends: [backend.url] });
    using client = await H2Client.connect(front.port, NAME);
    const streams = Array.from({ length: 20 }, () => upload(client, '/', 2 * MIB));
    await untilHeldUp(client);
    for (const stream of streams) stream.close(8);
    expect(await responseOf(upload(client, '/taken', 8 * MIB))).to.include({ body: 'taken' });
  });
});
