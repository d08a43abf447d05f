/**
 * Bodies pass piece by piece, in both directions, and no more of them is held than a slow receiver needs.
 */
import { expect } from 'chai';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { Readable } from 'node:stream';
import { startBackend } from '../support/backend.js';
import { eventually } from '../support/eventually.js';
import { startProgram, type Program } from '../support/program.js';
import { RawClient } from '../support/raw-client.js';

const MIB = 1024 ** 2;
const SIZE = 50 * MIB;
const GET = 'GET / HTTP/1.1\r\nHost: a.localhost\r\n\r\n';

/** 50 MiB that repeat only every MiB, with a piece of its own size. */
const block = randomBytes(MIB);
const bigBody = (): Readable => Readable.from(Array.from({ length: SIZE / MIB }, () => block));
const bigHash = (() => {
  const hash = createHash('sha256');
  for (let i = 0; i < SIZE / MIB; i++) hash.update(block);
  return hash.digest('hex');
})();

const digest = async (body: AsyncIterable<Buffer>): Promise<{ bytes: number; sha256: string }> => {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    hash.update(chunk);
  }
  return { bytes, sha256: hash.digest('hex') };
};

/** The most memory that the worker has had until now. */
async function peakBytes(program: Program): Promise<number> {
  const [pid] = await program.workerPids();
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
}

describe('Streaming', () => {
  it('brings the head of a response, and each piece, before the next one is there', async () => {
    const responses: ServerResponse[] = [];
    await using backend = await startBackend((_, response) => {
      responses.push(response);
      response.flushHeaders();
    });
    await using program = await startProgram(['--backend', backend.url]);
    using client = await RawClient.connect(program.port, 'a.localhost');
    client.send(GET);
    await client.until('the head is there', ({ received }) => received.includes('\r\n\r\n'));
    const [response] = responses;
    for (const piece of ['first', 'second']) {
      response?.write(piece);
      await client.until(`the ${piece} piece is there`, ({ received }) => received.includes(piece));
    }
    response?.end('last');
    await client.until('it is whole', ({ received }) => received.endsWith('last\r\n0\r\n\r\n'));
  });

  it('brings an event stream event by event, through a reload and for longer than a backend may be silent', async () => {
    let source: ServerResponse | undefined;
    await using backend = await startBackend((_, response) => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' }).flushHeaders();
      source = response;
    });
    await using program = await startProgram(['--backend', backend.url, '--backend-body-timeout', '1']);
    using client = await RawClient.connect(program.port, 'a.localhost');
    client.send(GET);
    await client.until('the head is there', ({ received }) => received.includes('text/event-stream'));
    const startedMs = performance.now();
    for (let count = 0; performance.now() - startedMs < 2_000; count++) {
      source?.write(`data: ${count}\n\n`);
      await client.until('the event is there', ({ received }) => received.includes(`data: ${count}\n\n`));
      if (count === 1) await program.reload();
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    source?.end();
    await client.until('its end is there', ({ received }) => received.endsWith('0\r\n\r\n'));
  });

  it('brings each piece of an upload before the next one is sent', async () => {
    let seen = '';
    await using backend = await startBackend((request, response) => {
      request.setEncoding('latin1').on('data', (text: string) => {
        seen += text;
        response.write(`got ${text}`);
      });
      request.on('end', () => response.end('done'));
    });
    await using program = await startProgram(['--backend', backend.url]);
    using client = await RawClient.connect(program.port, 'a.localhost');
    client.send('POST / HTTP/1.1\r\nHost: a.localhost\r\nTransfer-Encoding: chunked\r\n\r\n');
    for (const piece of ['alpha', 'beta']) {
      client.send(`${piece.length.toString(16)}\r\n${piece}\r\n`);
      await eventually(`the backend has ${piece}`, () => seen.endsWith(piece));
    }
    client.send('0\r\n\r\n');
    await client.until('it is answered to the end', ({ received }) => received.includes('done\r\n0\r\n'));
    expect(seen).to.equal('alphabeta');
  });

  for (const framing of ['sized', 'chunked'] as const) {
    it(`carries 50 MiB each way, ${framing}, to the last byte`, async () => {
      const sized = framing === 'sized' ? { 'Content-Length': SIZE } : {};
      await using backend = await startBackend((request, response) => {
        void digest(request as AsyncIterable<Buffer>).then((uploaded) => {
          response.writeHead(200, { ...sized, 'X-Uploaded': JSON.stringify(uploaded) });
          bigBody().pipe(response);
        });
      });
      await using program = await startProgram(['--backend', backend.url]);
      const outgoing = httpsRequest({
        ...{ host: '127.0.0.1', port: program.port, servername: 'a.localhost', method: 'POST' },
        ...{ agent: false, rejectUnauthorized: false, headers: { host: 'a.localhost', ...sized } },
      });
      bigBody().pipe(outgoing);
      const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
      const whole = { bytes: SIZE, sha256: bigHash };
      expect(JSON.parse(String(response.headers['x-uploaded']))).to.deep.equal(whole);
      expect(await digest(response as AsyncIterable<Buffer>)).to.deep.equal(whole);
    });
  }

  it('holds little for a client that does not read: the backend has to wait', async () => {
    let sent = 0;
    await using backend = await startBackend((_, response) => {
      response.writeHead(200, { 'Content-Length': 4 * SIZE });
      const pump = (): void => {
        while (sent < 4 * SIZE && !response.destroyed) {
          sent += block.length;
          if (!response.write(block)) {
            response.once('drain', pump);
            return;
          }
        }
      };
      pump();
    });
    await using program = await startProgram(['--backend', backend.url]);
    const before = await peakBytes(program);
    using client = await RawClient.connect(program.port, 'a.localhost');
    client.socket.pause();
    client.send(GET);
    await eventually('the backend is held up', async () => {
      const earlier = sent;
      await new Promise((resolve) => setTimeout(resolve, 300));
      return sent > 0 && sent === earlier;
    });
    expect(sent).to.be.below(SIZE);
    expect((await peakBytes(program)) - before).to.be.below(2 * SIZE);
  });

  it('holds little for a backend that does not read: the client has to wait', async () => {
    await using backend = await startBackend((request) => request.pause());
    await using program = await startProgram(['--backend', backend.url]);
    const before = await peakBytes(program);
    using client = await RawClient.connect(program.port, 'a.localhost');
    client.send(`POST / HTTP/1.1\r\nHost: a.localhost\r\nContent-Length: ${4 * SIZE}\r\n\r\n`);
    let taken = 0;
    const pump = (): void => {
      while (taken < 4 * SIZE && !client.isClosed) {
        taken += block.length;
        if (!client.socket.write(block)) {
          client.socket.once('drain', pump);
          return;
        }
      }
    };
    pump();
    await eventually('the client is held up', async () => {
      const earlier = taken;
      await new Promise((resolve) => setTimeout(resolve, 300));
      return backend.requests.length === 1 && taken === earlier;
    });
    expect(taken).to.be.below(SIZE);
    expect((await peakBytes(program)) - before).to.be.below(2 * SIZE);
  });
});
