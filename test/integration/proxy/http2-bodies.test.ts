/**
 * Bodies over HTTP/2 go through memory that is used again for others: each must arrive as it was sent, whatever becomes of those
 * beside it.
 */
import { expect } from 'chai';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { constants } from 'node:http2';
import type { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { startBackend } from '../../support/backend.js';
import { startFront } from '../../support/front.js';
import { startH2Backend } from '../../support/h2-backend.js';
import { H2Client } from '../../support/h2-client.js';

const KIB = 1024;
const STREAMS = 24;
const ROUNDS = 4;

/** Bytes that tell by themselves whose they are and where they belong. */
function bodyOf(seed: number, bytes: number): Buffer {
  const body = Buffer.alloc(bytes);
  for (let at = 0; at + 4 <= bytes; at += 4) body.writeUInt32BE((seed * 0x1000000 + at) >>> 0, at);
  return body;
}

const digest = (body: Buffer): string => createHash('sha256').update(body).digest('hex');
/** Together no more than Node's server holds of a session: 10 MB. */
const lengthOf = (seed: number): number => 100 * KIB + 997 * seed;

/** What the backend says: the body that a path asks for, or the digest of what it was sent. */
function answerTo(path: string, sent: Buffer): Buffer {
  const seed = /^\/down\/(\d+)$/.exec(path)?.[1];
  return seed === undefined ? Buffer.from(digest(sent)) : bodyOf(Number(seed), lengthOf(Number(seed)));
}

async function takeAll(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

const BACKENDS = {
  'HTTP/1.1': () =>
    startBackend((request, response) => {
      takeAll(request).then(
        (sent) => response.end(answerTo(request.url ?? '', sent)),
        () => undefined,
      );
    }),
  'HTTP/2': () =>
    startH2Backend((stream, { ':path': path }) => {
      stream.on('error', () => undefined);
      takeAll(stream).then(
        (sent) => {
          if (stream.destroyed) return;
          stream.respond();
          stream.end(answerTo(path ?? '', sent));
        },
        () => undefined,
      );
    }),
};

describe('Bodies beside each other over HTTP/2', () => {
  for (const [protocol, start] of Object.entries(BACKENDS)) {
    it(`arrive as they were sent, to and from a backend on ${protocol}, while others are broken off`, async () => {
      await using backend = await start();
      await using front = await startFront({ backends: [backend.url] });
      using client = await H2Client.connect(front.port, 'a.test');
      for (let round = 0; round < ROUNDS; round++) {
        const visits = Array.from({ length: STREAMS }, async (_, i) => {
          const seed = round * STREAMS + i;
          const body = bodyOf(seed, lengthOf(seed));
          const isUpload = i % 2 === 0;
          const stream = client.open(
            isUpload ? { ':method': 'POST', ':path': '/up' } : { ':path': `/down/${seed}` },
            { isOpen: isUpload },
          );
          if (isUpload) stream.end(body);
          if (i % 3 === 0) {
            // Broken off somewhere in the middle.
            if (isUpload) await nextTurn();
            else await once(stream, 'data');
            stream.close(constants.NGHTTP2_CANCEL);
            return;
          }
          const got = await takeAll(stream);
          expect(isUpload ? String(got) : digest(got), `${isUpload ? 'up' : 'down'} ${seed}`).to.equal(
            digest(body),
          );
        });
        await Promise.all(visits);
      }
      // Who breaks a request off is no fault of the backend's.
      expect(front.log.filter(({ level }) => level === 'err')).to.deep.equal([]);
    });
  }
});
