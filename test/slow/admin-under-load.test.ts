/**
 * The manager waits a second for an answer, whatever else goes on.
 */
import { expect } from 'chai';
import { admin, ADMIN_FLAGS } from '../support/admin.js';
import { handshake } from '../support/client.js';
import { startProgram } from '../support/program.js';

/** This process makes the handshakes too, and takes its own share of the time. */
const BOUND_MS = 5_000;
const CLIENTS = 10;
const QUESTIONS = 20;

describe('Under a load of handshakes', () => {
  it('the admin routes answer every time, and soon', async () => {
    await using program = await startProgram([...ADMIN_FLAGS]);
    const { port } = program;
    let isOver = false;
    let handshakes = 0;
    const load = Array.from({ length: CLIENTS }, async () => {
      while (!isOver) {
        await handshake({ port, servername: 'a.localhost' });
        handshakes += 1;
      }
    });
    try {
      const took: number[] = [];
      for (let i = 0; i < QUESTIONS; i++) {
        const startedMs = performance.now();
        const { status } = await admin(program, i % 2 === 0 ? '/status' : '/expire/domain/b.localhost');
        took.push(performance.now() - startedMs);
        expect(status).to.equal(200);
      }
      expect(Math.max(...took)).to.be.below(BOUND_MS);
      expect(handshakes).to.be.above(CLIENTS);
    } finally {
      isOver = true;
      await Promise.all(load);
    }
  });
});
