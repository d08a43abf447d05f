/**
 * Spliced connections share the memory that they read into: none of them sees what is another's.
 */
import { expect } from 'chai';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { TLSSocket } from 'node:tls';
import { connectTls } from '../../support/client.js';
import { startProgram } from '../../support/program.js';
import { startTcpBackend } from '../../support/tcp-backend.js';

const TOTAL_BYTES = 6 * 1024 ** 2;
const CONNECTIONS = 8;
/** Records that are not full, full ones, and many at once. */
const PIECES = [1, 700, 16_384, 16_385, 300_000, 5, 65_536, 40_000];
const digest = (): ReturnType<typeof createHash> => createHash('sha256');

/** Sends bytes of its own, and takes what comes back now fast and now slowly. @returns the two sums. */
async function echo(client: TLSSocket, turn: number): Promise<[sent: string, got: string]> {
  const sent = digest();
  const got = digest();
  let takenBytes = 0;
  client.on('data', (chunk: Buffer) => {
    got.update(chunk);
    takenBytes += chunk.length;
    if (takenBytes % 5 !== turn % 5) return;
    client.pause();
    setTimeout(() => client.resume(), 5);
  });
  const over = once(client, 'end');
  for (let left = TOTAL_BYTES, i = turn; left > 0; i++) {
    const piece = randomBytes(Math.min(left, PIECES[i % PIECES.length]!));
    left -= piece.length;
    sent.update(piece);
    if (!client.write(piece)) await once(client, 'drain');
  }
  client.end();
  await over;
  return [sent.digest('hex'), got.digest('hex')];
}

describe('Spliced connections at the same time', () => {
  it('bring their own bytes, however fast each of them takes them', async () => {
    await using backend = await startTcpBackend(({ socket }) => socket.pipe(socket), { isSilent: true });
    await using program = await startProgram(['--backend', backend.url, '--workers', '1']);
    const options = { port: program.port, servername: 'a.localhost', allowHalfOpen: true };
    const sums = await Promise.all(
      Array.from({ length: CONNECTIONS }, async (_, turn) =>
        echo(await connectTls(options as Parameters<typeof connectTls>[0]), turn),
      ),
    );
    for (const [sent, got] of sums) expect(got).to.equal(sent);
  }).timeout(60_000);
});
