/**
 * The rotation of session-ticket keys in the whole program, with two workers: it costs no client a full handshake.
 */
import { expect } from 'chai';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeTempDir } from '../../support/certificates.js';
import { eventually } from '../../support/eventually.js';
import { startProgram, type Program } from '../../support/program.js';
import { newSession, resume, ticketKeyName, VERSIONS, type Version } from '../../support/tls-sessions.js';

const NAME = 'a.localhost';

/** What is done every twelve hours is done at this signal instead. */
const SIGNAL = 'SIGWINCH';
const EVERY_TWELVE_HOURS_AT_SIGNAL = `
const { setInterval: real } = globalThis;
globalThis.setInterval = (run, everyMs, ...rest) => {
  if (everyMs === 43_200_000) process.on('${SIGNAL}', () => run());
  return real(run, everyMs, ...rest);
};
`;

/** A client that uses each ticket once, as browsers do. */
class Visitor {
  readonly reused: boolean[] = [];
  readonly #port: number;
  readonly #version: Version;
  readonly #unused: Buffer[];

  constructor(port: number, version: Version, first: Buffer) {
    this.#port = port;
    this.#version = version;
    this.#unused = [first];
  }

  /** Visits again. @returns the key that the new ticket is sealed with */
  async visit(): Promise<string | undefined> {
    const session = this.#unused.shift() ?? expect.fail('no ticket is left');
    const { reused, sessions } = await resume(this.#port, this.#version, NAME, session);
    this.reused.push(reused);
    this.#unused.push(...sessions);
    const [newest] = sessions;
    return newest && ticketKeyName(newest);
  }
}

describe('A rotation of the session-ticket keys', () => {
  let program: Program;
  let remove: () => Promise<void>;
  let dir: string;
  before(async () => {
    ({ dir, remove } = await makeTempDir());
    const preload = join(dir, 'preload.mjs');
    await writeFile(preload, EVERY_TWELVE_HOURS_AT_SIGNAL);
    program = await startProgram(['--workers', '2'], { nodeFlags: ['--import', preload] });
  });
  after(async () => {
    await program[Symbol.asyncDispose]();
    await remove();
  });

  /** Rotates, and goes on visiting until it is seen that both workers, one of which a visit meets, have. */
  async function rotate(visitor: Visitor): Promise<void> {
    const last = await visitor.visit();
    program.kill(SIGNAL);
    let isNewInARow = 0;
    await eventually('both workers have the new key', async () => {
      isNewInARow = (await visitor.visit()) === last ? 0 : isNewInARow + 1;
      return isNewInARow >= 8;
    });
  }

  for (const version of VERSIONS) {
    it(`costs a client of ${version} that uses each ticket once no full handshake, nor does a reload or a new worker`, async () => {
      const { port } = program;
      const visitor = new Visitor(port, version, await newSession(port, version, NAME));
      for (let i = 0; i < 5; i++) await visitor.visit();
      for (let round = 0; round < 3; round++) await rotate(visitor);
      await program.reload();
      for (let i = 0; i < 5; i++) await visitor.visit();
      await rotate(visitor);
      const old = await program.workerPids();
      for (const pid of old) process.kill(pid, 'SIGKILL');
      for (let now = old; now.some((pid) => old.includes(pid)); now = await program.workerPids());
      for (let i = 0; i < 5; i++) await visitor.visit();
      expect(visitor.reused).to.deep.equal(visitor.reused.map(() => true));
    });

    it(`leaves tickets of ${version} good until the next one, and not longer`, async () => {
      const { port } = program;
      const [session, other] = [await newSession(port, version, NAME), await newSession(port, version, NAME)];
      const visitor = new Visitor(port, version, other);
      await rotate(visitor);
      expect((await resume(port, version, NAME, session)).reused).to.equal(true);
      await rotate(visitor);
      // What workers were told before, they have done when they have reloaded.
      await program.reload();
      expect((await resume(port, version, NAME, session)).reused).to.equal(false);
      expect(visitor.reused).to.deep.equal(visitor.reused.map(() => true));
    });
  }
});
