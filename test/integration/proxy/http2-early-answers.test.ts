/**
 * Backends on HTTP/2, by the frame, that say something of a request that is still being sent, or nothing.
 */
import { expect } from 'chai';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { eventually } from '../../support/eventually.js';
import { startFront } from '../../support/front.js';
import { H2Client } from '../../support/h2-client.js';
import {
  block,
  DATA,
  EMPTY,
  END_HEADERS,
  END_STREAM,
  frame,
  HEADERS,
  PREFACE,
  RST_STREAM,
  SETTINGS,
} from '../../support/raw-h2.js';

const HEAD_BYTES = 9;

function eachFrame(socket: Socket, onFrame: (type: number, stream: number, bytes: number) => void): void {
  let waiting = EMPTY;
  let isGreeted = false;
  socket.on('data', (chunk: Buffer) => {
    waiting = Buffer.concat([waiting, chunk]);
    if (!isGreeted && waiting.length >= PREFACE.length) {
      isGreeted = true;
      waiting = waiting.subarray(PREFACE.length);
    }
    while (isGreeted && waiting.length >= HEAD_BYTES) {
      const end = HEAD_BYTES + waiting.readUIntBE(0, 3);
      if (waiting.length < end) return;
      onFrame(waiting.readUInt8(3), waiting.readUInt32BE(5), end - HEAD_BYTES);
      waiting = waiting.subarray(end);
    }
  });
}

interface Frames {
  readonly url: string;
  /** Of all streams. */
  dataBytes(): number;
  close(): void;
}

/** A backend by the frame: it says of each stream what `answer` has for its number. */
async function startFrames(answer: (id: number) => Buffer): Promise<Frames> {
  let dataBytes = 0;
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.write(frame(SETTINGS, 0, 0, EMPTY));
    eachFrame(socket, (type, id, bytes) => {
      if (type === HEADERS) socket.write(answer(id));
      if (type === DATA) dataBytes += bytes;
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `h2+http://127.0.0.1:${port}`, dataBytes: () => dataBytes, close: () => server.close() };
}

describe('An answer of a backend on HTTP/2 to an upload that is under way', () => {
  it('that is a head alone is the end of the request: the upload stops, and the backend is free', async () => {
    const backend = await startFrames((id) =>
      frame(HEADERS, END_HEADERS | END_STREAM, id, block([[':status', '413']])),
    );
    try {
      await using front = await startFront({
        backends: [backend.url],
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
      backend.close();
    }
  });
});

describe('A request that a backend on HTTP/2 refuses before its body has come', () => {
  it('goes there once more, with its body', async () => {
    const REFUSED_STREAM = Buffer.from([0, 0, 0, 7]);
    const backend = await startFrames((id) =>
      id === 1
        ? frame(RST_STREAM, 0, id, REFUSED_STREAM)
        : frame(HEADERS, END_HEADERS, id, block([[':status', '200']])),
    );
    try {
      await using front = await startFront({ backends: [backend.url] });
      using client = await H2Client.connect(front.port, 'a.test');
      const stream = client.open({ ':method': 'POST' }, { isOpen: true });
      let status = 0;
      stream.on('response', (headers) => (status = Number(headers[':status'])));
      await eventually('it is answered', () => status === 200);
      expect(front.log.map(({ msg }) => msg)).to.include('request sent again');
      stream.write(Buffer.alloc(20_000));
      await eventually('its body comes', () => backend.dataBytes() === 20_000);
      stream.close();
    } finally {
      backend.close();
    }
  });
});

describe('A client that says no more of its request to a backend on HTTP/2', () => {
  it('is answered 408, whatever the time that the backend has', async () => {
    const backend = await startFrames(() => EMPTY);
    try {
      await using front = await startFront({
        backends: [backend.url],
        limits: { backendHeadersTimeoutMs: 200, bodyTimeoutMs: 900 },
      });
      using client = await H2Client.connect(front.port, 'a.test');
      const stream = client.open({ ':method': 'POST' }, { isOpen: true });
      let status = 0;
      stream.on('response', (headers) => (status = Number(headers[':status'])));
      stream.resume();
      stream.write('some');
      await eventually('it is answered', () => status > 0);
      expect(status).to.equal(408);
      const late = client.open({ ':method': 'POST' }, { isOpen: true });
      late.on('response', (headers) => (status = Number(headers[':status'])));
      late.resume();
      late.end('all');
      await eventually('it is answered', () => status === 504);
    } finally {
      backend.close();
    }
  });
});
