/**
 * The end: SIGTERM, SIGQUIT and SIGINT drain, a second one cuts.
 */
import { once } from 'node:events';
import { expect } from 'chai';
import { startBackend, type Backend } from '../../support/backend.js';
import { defer } from '../../../lib/base/deferred.js';
import { connectTls, handshake } from '../../support/client.js';
import { eventually } from '../../support/eventually.js';
import { startProgram } from '../../support/program.js';
import { isAccepting, KeptConnection, textOf, isRunning } from '../../support/process-stage.js';
import { unusedPort } from '../../support/unused-port.js';

describe('Stopping', () => {
  let backend: Backend;
  let goOn = defer<void>();

  before(async () => {
    backend = await startBackend((_request, response) => {
      response.write('first half, ');
      void goOn.promise.then(() => response.end('second half'));
    });
  });

  beforeEach(() => {
    goOn = defer<void>();
  });

  after(() => backend[Symbol.asyncDispose]());

  for (const signal of ['SIGTERM', 'SIGQUIT', 'SIGINT'] as const) {
    it(`by ${signal} finishes the response that is under way, refuses new connections and exits with 0`, async () => {
      await using program = await startProgram(['--backend', backend.url, '--workers', '2']);
      const workers = await program.workerPids();
      using client = new KeptConnection(program.port);
      const { response } = await client.open();
      program.kill(signal);
      await program.logged('stopping');
      await eventually('it refuses connections', async () => !(await isAccepting(program.port)));
      expect(isRunning(program.pid)).to.equal(true);
      goOn.resolve();
      expect(await textOf(response)).to.equal('first half, second half');
      expect(await program.exited).to.deep.equal({ code: 0, signal: null });
      expect(workers.filter(isRunning)).to.deep.equal([]);
      expect(program.log.at(-1)?.msg).to.equal('stopped');
      expect(program.log.filter(({ level }) => level === 'err')).to.deep.equal([]);
    });
  }

  it('waits neither for idle connections nor for a client that has not begun its handshake for long', async () => {
    goOn.resolve();
    await using program = await startProgram([
      ...['--backend', backend.url, '--drain-timeout', '600', '--handshake-timeout', '0.3'],
    ]);
    using client = new KeptConnection(program.port);
    await client.get();
    const silent = await connectTls({ port: program.port, servername: 'silent.localhost' });
    silent.on('error', () => undefined).resume();
    await program.logged('handshake', { name: 'silent.localhost' });
    program.kill('SIGTERM');
    expect(await program.exited).to.deep.equal({ code: 0, signal: null });
  });

  it('cuts what is still under way when the drain time-out is over, and exits with 0', async () => {
    await using program = await startProgram(['--backend', backend.url, '--drain-timeout', '0.3']);
    using client = new KeptConnection(program.port);
    const { response } = await client.open();
    const cut = textOf(response).then(
      () => 'whole',
      () => 'cut',
    );
    program.kill('SIGTERM');
    expect(await program.exited).to.deep.equal({ code: 0, signal: null });
    expect(await cut).to.equal('cut');
    await program.logged('drain timeout: connections are cut', { connections: 1 });
  });

  it('exits at once with a second signal, whichever it is', async () => {
    await using program = await startProgram([
      ...['--backend', backend.url, '--drain-timeout', '600', '--workers', '2'],
    ]);
    const workers = await program.workerPids();
    using client = new KeptConnection(program.port);
    const { response } = await client.open();
    const cut = textOf(response).then(
      () => 'whole',
      () => 'cut',
    );
    program.kill('SIGTERM');
    await program.logged('stopping');
    program.kill('SIGINT');
    expect(await program.exited).to.deep.equal({ code: 0, signal: null });
    expect(await cut).to.equal('cut');
    expect(workers.filter(isRunning)).to.deep.equal([]);
  });

  it('lets a handshake that has begun come to its end', async () => {
    goOn.resolve();
    await using program = await startProgram(['--backend', backend.url]);
    const raw = await connectTls({ port: program.port, servername: 'begun.localhost' });
    raw.on('error', () => undefined);
    await program.logged('handshake', { name: 'begun.localhost' });
    raw.write('GET / HTTP/1.1\r\nHost: begun.localhost\r\n');
    const ended = once(raw, 'end');
    program.kill('SIGTERM');
    await program.logged('stopping');
    raw.write('\r\n');
    const chunks: Buffer[] = [];
    raw.on('data', (chunk: Buffer) => chunks.push(chunk));
    await ended;
    raw.destroy();
    expect(await program.exited).to.deep.equal({ code: 0, signal: null });
  });

  it('leaves the port free for the next start', async () => {
    const port = await unusedPort();
    {
      await using program = await startProgram(['--listen', `127.0.0.1:${port}`]);
      await handshake({ port, servername: 'a.localhost' });
      program.kill('SIGTERM');
      await program.exited;
    }
    await using next = await startProgram(['--listen', `127.0.0.1:${port}`]);
    expect(next.port).to.equal(port);
    await handshake({ port, servername: 'a.localhost' });
  });
});
