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

/** More than a client's kernel takes that does not read, and less than ours and its together. */
const LARGE = 1_000_000;

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

describe('A backend that closes when it has the head of an upload alone', () => {
  it('is asked once more, with the body that comes later', async () => {
    const requests: string[] = [];
    const server = createServer((socket) => {
      const at = requests.push('') - 1;
      socket
        .on('error', () => undefined)
        .on('data', (bytes) => {
          requests[at] = `${requests[at] ?? ''}${String(bytes)}`;
          if (at === 0) socket.destroy();
          else if (requests[at].endsWith('abc')) socket.write('HTTP/1.1 204 No Content\r\n\r\n');
        });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      await using front = await startFront({
        backends: [`http://127.0.0.1:${(server.address() as AddressInfo).port}`],
      });
      using client = await RawClient.connect(front.port, 'a.test');
      client.send('POST / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\nContent-Length: 3\r\n\r\n');
      await eventually('it is asked again', () => requests[1]?.endsWith('\r\n\r\n') === true);
      client.send('abc');
      expect(await client.closed()).to.match(/^HTTP\/1\.1 204 /);
      expect(requests.map((text) => text.split('\r\n\r\n')[1])).to.deep.equal(['', 'abc']);
    } finally {
      server.close();
      await once(server, 'close');
    }
  });
});

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

  it('has all of a large answer passed on, also to a client that reads late and uploads on', async () => {
    const answer = `HTTP/1.1 413 Content Too Large\r\nContent-Length: ${LARGE}\r\nConnection: close\r\n\r\n`;
    await using backend = await startImpatientBackend(answer + 'x'.repeat(LARGE));
    await using front = await startFront({ backends: [backend.url] });
    using client = await RawClient.connect(front.port, 'a.test');
    client.socket.pause();
    client.send('POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1000000000\r\n\r\n');
    const timer = setInterval(() => client.socket.write(Buffer.alloc(1_000)), 100);
    // Longer than a connection is kept whose client sends nothing more.
    await new Promise((resolve) => setTimeout(resolve, 7_000));
    client.socket.resume();
    const received = await client.closed().finally(() => clearInterval(timer));
    expect(received.split('\r\n\r\n')[1]).to.have.length(LARGE);
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
