/**
 * SIGHUP: what is new is seen by the next connection and the next request.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { makeTempDir, makeTestCa, writePair, type TestCa } from '../../support/certificates.js';
import { handshake, request } from '../../support/client.js';
import { startFakeManager, type FakeManager } from '../../support/fake-manager.js';
import type { Program } from '../../support/program.js';
import { startWithConfig, startWordBackend, writeConfig } from '../../support/process-stage.js';

describe('A reload takes over', () => {
  let ca: TestCa;
  let dir: string;
  let remove: () => Promise<void>;
  let manager: FakeManager;
  let program: Program;
  let config: string;
  let flags: Record<string, unknown>;
  const path = (file: string): string => join(dir, file);

  /** Changes flags in the configuration file. */
  const set = (changes: Record<string, unknown>): Promise<void> => {
    flags = { ...flags, ...changes };
    return writeConfig(config, flags);
  };

  before(async () => {
    ca = await makeTestCa();
    ({ dir, remove } = await makeTempDir());
    manager = await startFakeManager();
    config = path('proxy.json');
    const { chainPath, keyPath } = await writePair(path('default'), await ca.issue(['first.invalid']));
    await writeFile(path('users'), 'ann:{PLAIN}one\n');
    await writeFile(path('allowed'), '# nothing yet\nnobody.test\n');
    await set({
      workers: 2,
      'log-level': 'debug',
      'default-cert': chainPath,
      'default-key': keyPath,
      'admin-user-file': path('users'),
      'fallback-server': manager.root,
      'enable-autocert': true,
      'autocert-allow': `@${path('allowed')}`,
    });
    program = await startWithConfig(config);
  });

  after(async () => {
    await program[Symbol.asyncDispose]();
    await manager.close();
    await remove();
  });

  it('new default certificate files of the same names', async () => {
    const served = async (): Promise<string> => (await handshake({ port: program.port })).names;
    expect(await served()).to.equal('first.invalid');
    await writePair(path('default'), await ca.issue(['second.invalid'], { type: 'rsa' }));
    const line = await program.reload();
    expect(line['changed']).to.equal('default-cert,default-key');
    // Each of the two workers has it.
    for (let count = 0; count < 6; count++) expect(await served()).to.equal('second.invalid');
  });

  it('a new htpasswd file: who came in does so no more', async () => {
    const status = async (auth: string): Promise<number> =>
      (await request({ port: program.port, path: '/.peter_sslers/nginx/shared_cache/status', auth })).status;
    expect([await status('ann:one'), await status('bob:two')]).to.deep.equal([200, 401]);
    await writeFile(path('users'), 'bob:{PLAIN}two\n');
    expect((await program.reload())['changed']).to.equal('admin-user-file');
    expect([await status('ann:one'), await status('bob:two')]).to.deep.equal([401, 200]);
  });

  it('a new list of the names that may be ordered', async () => {
    const pair = await ca.issue(['ordered.test']);
    manager.issue('ordered.test', pair);
    const served = async (): Promise<string> =>
      (await handshake({ port: program.port, servername: 'ordered.test' })).names;
    expect(await served()).to.equal('second.invalid');
    expect(manager.requestsFor('POST', 'ordered.test')).to.have.length(0);
    await writeFile(path('allowed'), 'ordered.test\n');
    // What is known persists: that there is none is what a reload leaves as it is.
    await set({ 'admin-prefix': '/.peter' });
    expect((await program.reload())['changed']).to.equal('autocert-allow,admin-prefix');
    const expire = '/.peter/nginx/shared_cache/expire/domain/ordered.test';
    expect((await request({ port: program.port, path: expire, auth: 'bob:two' })).status).to.equal(200);
    expect(await served()).to.equal('ordered.test');
    expect(manager.requestsFor('POST', 'ordered.test')).to.have.length(1);
  });

  it('another backend', async () => {
    await using one = await startWordBackend('one');
    await using two = await startWordBackend('two');
    const body = async (): Promise<string> => (await request({ port: program.port, name: 'x.test' })).body;
    expect(await body()).to.contain('Name asked for');
    await set({ backend: one.url });
    expect((await program.reload())['changed']).to.equal('backend');
    expect(await body()).to.equal('one');
    await set({ backend: two.url });
    await program.reload();
    expect(await body()).to.equal('two');
    expect(one.requests).to.have.length(1);
  });

  it('other cache durations and sizes', async () => {
    await set({ lru_cache_duration: 7.5, 'cert-cache-duration': 99, 'lru-maxitems': 3, 'miss-rate': 5 });
    const { changed } = await program.reload();
    expect(changed).to.equal('miss-rate,cert-cache-duration,lru-cache-duration,lru-maxitems');
  });

  it('another level of the log, in the primary and in the workers', async () => {
    const handshakes = (): number => program.log.filter(({ msg }) => msg === 'handshake').length;
    const before = handshakes();
    await set({ 'log-level': 'notice' });
    await program.reload();
    await request({ port: program.port, name: 'quiet.test' });
    await set({ 'log-level': 'debug' });
    await program.reload();
    await request({ port: program.port, name: 'loud.test' });
    await program.logged('handshake', { name: 'loud.test' });
    expect(handshakes()).to.equal(before + 1);
    expect(program.log.some(({ name }) => name === 'quiet.test')).to.equal(false);
  });

  it('nothing, when nothing has changed, and says so', async () => {
    expect((await program.reload())['changed']).to.equal('nothing');
  });

  it('no listen address, state directory or pid file, and says that these need a restart', async () => {
    const { port } = program;
    await set({ 'pid-file': path('pid'), 'state-dir': path('state') });
    for (let count = 0; count < 2; count++) {
      const line = await program.reload();
      expect(line['needRestart']).to.equal('state-dir,pid-file');
    }
    expect((await handshake({ port })).names).to.equal('second.invalid');
  });
});
