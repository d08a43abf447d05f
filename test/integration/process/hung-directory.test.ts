/**
 * A stop, or a reload, while the file system of the certificate directory does not answer, as a network file system may do.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { makeTempDir, makeTestCa, writePair } from '../../support/certificates.js';
import { eventually } from '../../support/eventually.js';
import { request } from '../../support/client.js';
import { startProgram } from '../../support/program.js';
import { startWithConfig, startWordBackend, writeConfig } from '../../support/process-stage.js';

describe('A certificate directory that does not answer', () => {
  let remove: () => Promise<void>;
  let certs: string;
  let preload: string;
  /** The directory hangs from when it is called. */
  let hang: () => Promise<void>;
  let dir: string;

  beforeEach(async () => {
    ({ dir, remove } = await makeTempDir());
    certs = join(dir, 'certs');
    preload = join(dir, 'hang.mjs');
    const [fifo, begin, hung] = [join(dir, 'fifo'), join(dir, 'begin'), join(dir, 'hung')];
    await mkdir(certs);
    await writePair(join(certs, 'a'), await (await makeTestCa()).issue(['a.test']));
    execFileSync('mkfifo', [fifo]);
    // Whoever looks there then holds a thread, as with a hung mount: a FIFO is opened when somebody else opens it, too.
    await writeFile(
      preload,
      `import fs from 'node:fs';
      import { syncBuiltinESMExports } from 'node:module';
      const [certs, fifo, begin, hung] = ${JSON.stringify([certs, fifo, begin, hung])};
      const { stat } = fs;
      fs.stat = (path, ...rest) => {
        if (!String(path).startsWith(certs) || !fs.existsSync(begin)) return stat(path, ...rest);
        fs.writeFileSync(hung, '');
        fs.open(fifo, 'r', () => undefined);
      };
      syncBuiltinESMExports();`,
    );
    hang = async () => {
      await writeFile(begin, '');
      await eventually('the directory hangs', () => existsSync(hung));
    };
  });

  afterEach(() => remove());

  it('does not keep the program from its end', async () => {
    await using program = await startProgram(['--cert-dir', certs, '--cert-dir-interval', '0.1'], {
      nodeFlags: ['--import', preload],
    });
    await hang();
    program.kill('SIGTERM');
    // Its own signal, which ends it whatever its threads do.
    expect(await program.exited).to.deep.equal({ code: null, signal: 'SIGTERM' });
    expect(program.log.map(({ msg }) => msg)).to.include.members(['source not closed', 'stopped']);
  });

  it('does not keep a reload from the workers, nor from its end', async () => {
    await using first = await startWordBackend('first');
    await using second = await startWordBackend('second');
    const config = join(dir, 'c.json');
    const flags = { 'cert-dir': certs, 'cert-dir-interval': 0.1 };
    await writeConfig(config, { ...flags, backend: [first.url] });
    await using program = await startWithConfig(config, { nodeFlags: ['--import', preload] });
    const answer = async (): Promise<string> => (await request({ port: program.port, name: 'a.test' })).body;
    expect(await answer()).to.equal('first');
    await hang();
    await writeConfig(config, { ...flags, backend: [second.url] });
    const reloaded = program.reload();
    await eventually('the workers have the new settings', async () => (await answer()) === 'second');
    expect(await reloaded).to.include({ changed: 'backend' });
    expect(program.log.map(({ msg }) => msg)).to.include(
      'the certificate directory is not read yet: it goes on being read',
    );
  });
});
