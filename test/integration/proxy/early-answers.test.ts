/**
 * A backend on HTTP/1.1 that has enough of an upload: it answers, and closes with the rest unread, so that its kernel sends a reset behind
 * the answer.
 */
import { expect } from 'chai';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { eventually } from '../../support/eventually.js';
import { startFront } from '../../support/front.js';
import { RawClient } from '../../support/raw-client.js';

/** @param answer what is said before the reset. */
async function startImpatientBackend(answer: string): Promise<AsyncDisposable & { readonly url: string }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined));
    socket.once('data', () => {
      socket.pause();
      setTimeout(() => socket.write(answer, () => socket.destroy()), 5);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Uploads without end, until there is an answer. @returns it, as far as it has come. */
async function upload(port: number, piece: Buffer): Promise<string> {
  using client = await RawClient.connect(port, 'a.test');
  client.send('POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1000000000\r\n\r\n');
  let isWriting = true;
  const write = (): void => {
    if (!isWriting) return;
    client.socket.write(piece);
    setImmediate(write);
  };
  write();
  await client.until('there is an answer', ({ received }) => received.includes('\r\n\r\n'));
  isWriting = false;
  return client.received;
}

describe('A backend that answers an upload and closes in the middle of it', () => {
  for (const bytes of [1_000, 60_000])
    it(`has its answer passed on, and is not left out (pieces of ${bytes} bytes)`, async () => {
      const answer = 'HTTP/1.1 413 Content Too Large\r\nContent-Length: 4\r\nConnection: close\r\n\r\nmuch';
      await using backend = await startImpatientBackend(answer);
      await using front = await startFront({ backends: [backend.url, backend.url] });
      const answers: string[] = [];
      for (let i = 0; i < 20; i++) answers.push(await upload(front.port, Buffer.alloc(bytes, 'x')));
      expect(answers.filter((text) => !text.startsWith('HTTP/1.1 413 '))).to.deep.equal([]);
      expect(front.log.filter(({ level }) => level !== 'info')).to.deep.equal([]);
    });

  it('and has said nothing is a 502, soon, and is not left out', async () => {
    await using backend = await startImpatientBackend('');
    await using front = await startFront({ backends: [backend.url, backend.url] });
    for (let i = 0; i < 8; i++) {
      const text = await upload(front.port, Buffer.alloc(60_000, 'x'));
      expect(text).to.match(/^HTTP\/1\.1 502 /);
    }
    await eventually('it is logged', () => front.log.some(({ msg }) => msg === 'backend failed'));
    expect(front.log.map(({ msg }) => msg)).not.to.include('backend left out');
  });
});
