/**
 * What an HTTP/2 backend may not do, and how much it may say.
 */
import { expect } from 'chai';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { request } from '../../support/client.js';
import { startFront } from '../../support/front.js';
import { startH2Backend } from '../../support/h2-backend.js';
import { H2Client } from '../../support/h2-client.js';
import { RawClient } from '../../support/raw-client.js';

function frame(streamId: number, type: number, flags: number, payload = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(streamId, 5);
  return Buffer.concat([head, payload]);
}

/** A backend that writes frames by hand, to each request that comes. */
async function startRawBackend(
  onRequest: (socket: Socket, streamId: number) => void,
): Promise<AsyncDisposable & { readonly url: string }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).write(Buffer.concat([frame(0, 0x4, 0), frame(0, 0x4, 0x1)]));
    let received = Buffer.alloc(0);
    /** Behind the preface. */
    let at = 24;
    socket.on('data', (bytes) => {
      received = Buffer.concat([received, bytes]);
      for (; at + 9 <= received.length; at += 9 + received.readUIntBE(at, 3))
        if (received[at + 3] === 0x1) onRequest(socket, received.readUInt32BE(at + 5));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `h2+http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

describe('An HTTP/2 backend at its limits', () => {
  for (const isLate of [false, true]) {
    const when = isLate ? 'later' : 'at once';
    it(`that resets a stream ${when}, without an error and without an end, has its response cut`, async () => {
      await using backend = await startRawBackend((socket, id) => {
        const head = frame(id, 0x1, 0x4, Buffer.from([0x88]));
        socket.write(Buffer.concat([head, frame(id, 0x0, 0, Buffer.from('half'))]));
        setTimeout(() => socket.write(frame(id, 0x3, 0, Buffer.alloc(4))), isLate ? 100 : 0);
      });
      await using front = await startFront({ backends: [backend.url] });
      using client = await H2Client.connect(front.port, 'a.test');
      expect(await client.request()).to.include({ status: 200, isWhole: false });
      using old = await RawClient.connect(front.port, 'a.test');
      old.send('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n');
      const received = await old.closed();
      expect(received).to.match(/^HTTP\/1\.1 200 /);
      expect(received).not.to.contain('\r\n0\r\n');
    });
  }

  it('may send as many fields as one on HTTP/1.1', async () => {
    await using backend = await startH2Backend((stream) => {
      const fields = Array.from({ length: 300 }, (_, i) => [`x-${i}`, 'v'] as const);
      stream.respond({ ':status': 200, ...Object.fromEntries(fields) });
      stream.end('ok');
    });
    await using front = await startFront({ backends: [backend.url] });
    const { status, headers } = await request({ port: front.port, name: 'a.test' });
    expect([status, headers['x-299']]).to.deep.equal([200, 'v']);
  });

  it('that sends hints without end is not listened to for ever', async () => {
    await using backend = await startH2Backend((stream) => {
      for (let i = 0; i < 33; i++) stream.additionalHeaders({ ':status': 103, link: `</${i}>` });
    });
    await using front = await startFront({ backends: [backend.url] });
    expect(await request({ port: front.port, name: 'a.test' })).to.include({ status: 502 });
  });
});
