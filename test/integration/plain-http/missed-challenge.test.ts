/**
 * An order whose challenge came over plain HTTP and was answered too late, with the real program.
 */
import { expect } from 'chai';
import { defer } from '../../../lib/base/deferred.js';
import { handshake } from '../../support/client.js';
import { startFakeManager, type FakeManager } from '../../support/fake-manager.js';
import { askPlain, plainPort } from '../../support/plain-client.js';
import { startProgram, type Program } from '../../support/program.js';

const NAME = 'new.example.com';
const PATH = '/.well-known/acme-challenge/token';

describe('An order that fails', () => {
  let manager: FakeManager;
  let program: Program;

  beforeEach(async () => {
    manager = await startFakeManager();
    manager.setBare(NAME);
    program = await startProgram([
      ...['--http-listen', '127.0.0.1:0', '--workers', '2'],
      ...['--fallback-server', manager.root, '--enable-autocert', '--autocert-allow', '*.example.com'],
    ]);
  });
  afterEach(async () => {
    await program[Symbol.asyncDispose]();
    await manager.close();
  });

  /** Orders the name; the manager says no when its challenge has been answered. @returns the challenge's status. */
  async function fail(): Promise<number> {
    const over = defer<void>();
    manager.onAutocert(NAME, async () => {
      await over.promise;
      return { body: { result: 'error', AcmeOrder: { id: 1 }, error: 'the challenge was not answered' } };
    });
    const shaken = handshake({ port: program.port, servername: NAME });
    await manager.received(1, ({ method }) => method === 'POST');
    const { status } = await askPlain(plainPort(program), `GET ${PATH} HTTP/1.1`, [`Host: ${NAME}`]);
    over.resolve();
    await shaken;
    return status;
  }

  it('after the manager has left its challenge unanswered is held off for a minute', async () => {
    manager.answer('GET', PATH, { hang: true });
    expect(await fail()).to.equal(504);
    const line = await program.logged('the order failed, and its challenge was not answered in time');
    expect(line).to.include({ name: NAME, holdoffMs: 60_000 });
  });

  it('after its challenge was answered is held off as any other', async () => {
    manager.answer('GET', PATH, { status: 404, body: 'no such token' });
    expect(await fail()).to.equal(404);
    expect(await program.logged('the order was refused')).to.include({ name: NAME, holdoffMs: 900_000 });
  });
});
