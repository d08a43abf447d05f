/**
 * SIGHUP: what lives on. Connections and requests, the primary's caches, the ticket keys.
 */
import { once } from 'node:events';
import { join } from 'node:path';
import { expect } from 'chai';
import { startBackend } from '../../support/backend.js';
import { defer } from '../../../lib/base/deferred.js';
import { makeTempDir, makeTestCa, type TestCa } from '../../support/certificates.js';
import { connectTls, handshake, request } from '../../support/client.js';
import { startFakeManager, type FakeManager } from '../../support/fake-manager.js';
import { startProgram, type Program } from '../../support/program.js';
import {
  KeptConnection,
  startWithConfig,
  startWordBackend,
  textOf,
  writeConfig,
} from '../../support/process-stage.js';

/** The tier that the information page names. */
async function tierOf(program: Program, name: string): Promise<string | undefined> {
  const { body } = await request({ port: program.port, name });
  return /^Answered by +(\S+)$/m.exec(body)?.[1];
}

describe('A reload leaves alone', () => {
  let ca: TestCa;
  let dir: string;
  let remove: () => Promise<void>;

  before(async () => {
    ca = await makeTestCa();
    ({ dir, remove } = await makeTempDir());
  });

  after(() => remove());

  it('an open connection, whose next request goes to the new backend', async () => {
    await using one = await startWordBackend('one');
    await using two = await startWordBackend('two');
    const config = join(dir, 'kept.json');
    await writeConfig(config, { workers: 1, backend: one.url });
    await using program = await startWithConfig(config, { cwd: dir });
    using client = new KeptConnection(program.port);
    expect(await client.get()).to.deep.equal({ body: 'one', reused: false });
    await writeConfig(config, { workers: 1, backend: two.url });
    await program.reload();
    expect(await client.get()).to.deep.equal({ body: 'two', reused: true });
    await program.reload();
    expect(await client.get()).to.deep.equal({ body: 'two', reused: true });
  });

  it('a response that is under way, also when its backend is not the backend any more', async () => {
    const goOn = defer<void>();
    await using slow = await startBackend((_request, response) => {
      response.write('first half, ');
      void goOn.promise.then(() => response.end('second half'));
    });
    await using other = await startWordBackend('other');
    const config = join(dir, 'slow.json');
    await writeConfig(config, { workers: 1, backend: slow.url });
    await using program = await startWithConfig(config, { cwd: dir });
    using client = new KeptConnection(program.port);
    const { response } = await client.open();
    await writeConfig(config, { workers: 1, backend: other.url });
    await program.reload();
    await program.reload();
    expect((await request({ port: program.port, name: 'x.test' })).body).to.equal('other');
    goOn.resolve();
    expect(await textOf(response)).to.equal('first half, second half');
  });

  it('a request that is still being sent', async () => {
    await using backend = await startBackend((incoming, response) => {
      void textOf(incoming).then((text) => response.end(`got ${text}`));
    });
    await using program = await startProgram(['--backend', backend.url]);
    const socket = await connectTls({ port: program.port, servername: 'x.test' });
    socket.write('POST / HTTP/1.1\r\nHost: x.test\r\nConnection: close\r\nContent-Length: 10\r\n\r\n01234');
    await program.logged('handshake', { name: 'x.test' });
    await program.reload();
    socket.write('56789');
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks).toString()).to.match(/^HTTP\/1\.1 200 [\s\S]*got 0123456789/);
  });

  it('a handshake that waits for its certificate', async () => {
    const manager = await startFakeManager();
    try {
      const release = defer<void>();
      manager.setCertificate('late.test', await ca.issue(['late.test']));
      const answer = await fetch(`${manager.root}/domain/late.test/config.json`);
      manager.answer('GET', 'late.test', { until: release.promise, body: await answer.text() });
      await using program = await startProgram(['--fallback-server', manager.root, '--lookup-timeout', '15']);
      const served = handshake({ port: program.port, servername: 'late.test' });
      await manager.received(2);
      await program.reload();
      release.resolve();
      expect((await served).names).to.equal('late.test');
    } finally {
      await manager.close();
    }
  });

  describe('in the caches', () => {
    let manager: FakeManager;

    beforeEach(async () => {
      manager = await startFakeManager();
    });

    afterEach(() => manager.close());

    const start = (): Promise<Program> => startProgram(['--fallback-server', manager.root]);

    it("the primary's certificates, while the LRU of the workers is emptied; a restart empties both", async () => {
      manager.setCertificate('a.test', await ca.issue(['a.test']));
      const served = async (program: Program): Promise<string> =>
        (await handshake({ port: program.port, servername: 'a.test' })).certificate.serialNumber;
      let old: string;
      {
        await using program = await start();
        expect(await tierOf(program, 'a.test')).to.equal('manager');
        expect(await tierOf(program, 'a.test')).to.equal('lru');
        old = await served(program);
        manager.setCertificate('a.test', await ca.issue(['a.test']));
        await program.reload();
        expect(await tierOf(program, 'a.test')).to.equal('cache');
        expect(await served(program)).to.equal(old);
        expect(manager.requestsFor('GET', 'a.test')).to.have.length(1);
      }
      await using restarted = await start();
      expect(await tierOf(restarted, 'a.test')).to.equal('manager');
      expect(await served(restarted)).not.to.equal(old);
      expect(manager.requestsFor('GET', 'a.test')).to.have.length(2);
    });

    it('what has no certificate', async () => {
      await using program = await start();
      for (let count = 0; count < 2; count++) {
        expect(await tierOf(program, 'none.test')).to.equal('default');
        await program.reload();
      }
      expect(await tierOf(program, 'none.test')).to.equal('default');
      expect(manager.requestsFor('GET', 'none.test')).to.have.length(1);
    });
  });

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    it(`the ticket keys: a ${version} session of before is resumed after it`, async () => {
      await using program = await startProgram(['--workers', '2']);
      const options = {
        port: program.port,
        servername: 'a.localhost',
        minVersion: version,
        maxVersion: version,
      } as const;
      const socket = await connectTls(options);
      // With TLS 1.2 the ticket has come with the handshake, with 1.3 it comes behind it.
      const session =
        version === 'TLSv1.2' ? socket.getSession() : ((await once(socket, 'session')) as [Buffer])[0];
      socket.destroy();
      expect(session).to.be.instanceOf(Buffer);
      await program.reload();
      const resumed = await connectTls({ ...options, ...(session && { session }) });
      expect(resumed.isSessionReused()).to.equal(true);
      resumed.destroy();
    });
  }
});
