/**
 * Backends on HTTP/2 that answer a request that is still being sent, and say no more of its stream: no reset, no window.
 */
import { expect } from 'chai';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { eventually } from '../../support/eventually.js';
import { startFront } from '../../support/front.js';
import { H2Client } from '../../support/h2-client.js';
import { block, END_HEADERS, END_STREAM, frame, HEADERS, SETTINGS } from '../../support/raw-h2.js';

const EMPTY = Buffer.alloc(0);
const HEAD_BYTES = 9;
const PREFACE_BYTES = 24;

/** Calls back with the number of each stream that begins. */
function eachStream(socket: Socket, onStream: (id: number) => void): void {
  let waiting = EMPTY;
  let isGreeted = false;
  socket.on('data', (chunk: Buffer) => {
    waiting = Buffer.concat([waiting, chunk]);
    if (!isGreeted && waiting.length >= PREFACE_BYTES) {
      isGreeted = true;
      waiting = waiting.subarray(PREFACE_BYTES);
    }
    while (isGreeted && waiting.length >= HEAD_BYTES) {
      const end = HEAD_BYTES + waiting.readUIntBE(0, 3);
      if (waiting.length < end) return;
      if (waiting[3] === HEADERS) onStream(waiting.readUInt32BE(5));
      waiting = waiting.subarray(end);
    }
  });
}

describe('An answer of a backend on HTTP/2 to an upload that is under way', () => {
  it('that is a head alone is the end of the request: the upload stops, and the backend is free', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.write(frame(SETTINGS, 0, 0, EMPTY));
      eachStream(socket, (id) =>
        socket.write(frame(HEADERS, END_HEADERS | END_STREAM, id, block([[':status', '413']]))),
      );
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = server.address() as AddressInfo;
      await using front = await startFront({
        backends: [`h2+http://127.0.0.1:${port}`],
        limits: { backendBodyTimeoutMs: 1_000 },
      });
      using client = await H2Client.connect(front.port, 'a.test');
      const stream = client.open({ ':method': 'POST' }, { isOpen: true });
      let status = 0;
      stream.on('response', (headers) => (status = Number(headers[':status'])));
      stream.resume();
      stream.write(Buffer.alloc(300_000));
      await eventually('it is answered', () => status === 413);
      // RFC 9113 §8.1: the client is told to send no more.
      await eventually('the stream is closed', () => stream.closed);
      expect(stream.rstCode).to.equal(0);
      expect(front.log.filter(({ level }) => level === 'err')).to.deep.equal([]);
    } finally {
      server.close();
    }
  });
});
