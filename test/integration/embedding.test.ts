/**
 * The library in programs that do as they like: with clusters and scripts of their own, and with what no type has looked at.
 */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import type { CertificatePair } from '../../lib/index.js';
import { makeTempDir, makeTestCa } from '../support/certificates.js';
import { handshake } from '../support/client.js';
import { said, SAY, startEmbedder } from '../support/embedder.js';
import { eventually } from '../support/eventually.js';
import { fingerprintOf } from '../support/visit.js';

const execute = promisify(execFile);

describe('The library, in a program that does as it likes,', () => {
  let pair: CertificatePair;
  let renewed: CertificatePair;

  before(async () => {
    const ca = await makeTestCa();
    [pair, renewed] = await Promise.all([ca.issue(['a.test']), ca.issue(['a.test'])]);
  });

  it('takes no harm from a cluster of the program, and does none to it', async () => {
    const { dir, remove } = await makeTempDir();
    try {
      const theirs = join(dir, 'theirs.mjs');
      await writeFile(theirs, `process.send('theirs'); process.disconnect();`);
      await using program = await startEmbedder(
        {},
        `
          const told = () => new Promise((resolve) => cluster.fork().once('message', resolve));
          say(await told());
          cluster.setupPrimary({ exec: input.theirs, args: ['other'] });
          say(await told());
          say(cluster.settings.args);
        `,
        { theirs },
        {
          before: `
            ${SAY}
            cluster.setupPrimary({ exec: input.theirs, silent: true });
          `,
        },
      );
      expect(said(program)).to.deep.equal(['theirs', 'theirs', ['other']]);
      const [pid] = await program.workerPids();
      process.kill(pid!, 'SIGKILL');
      // Its place is taken by one of ours.
      await eventually('there is another worker', async () => {
        const pids = await program.workerPids();
        return pids.length === 1 && pids[0] !== pid;
      });
      await eventually('it serves', async () => {
        const { names } = await handshake({ port: program.port });
        return names === 'default.invalid';
      });
    } finally {
      await remove();
    }
  });

  it('starts from a script on the command line, whatever it is written in', async () => {
    const { dir, remove } = await makeTempDir();
    try {
      const script = `
        import(${JSON.stringify(new URL('../../dist/index.js', import.meta.url).href)}).then(async ({ start }) => {
          const proxy = await start({ settings: { listen: '127.0.0.1:0', workers: 1, 'log-level': 'err' } });
          await proxy.stop();
          console.log('stopped');
        });
      `;
      for (const flags of [['--input-type=module'], ['--input-type', 'commonjs'], []]) {
        const { stdout } = await execute(process.execPath, [...flags, '--eval', script], { cwd: dir });
        expect(stdout).to.equal('stopped\n');
      }
    } finally {
      await remove();
    }
  });

  it('serves what is put into the cache to the next client, also where a worker knew of none or another', async () => {
    await using program = await startEmbedder(
      {},
      `
        const pairs = [input.pair, input.renewed];
        process.on('SIGUSR2', async () => { proxy.cache.set('a.test', [pairs.shift()]); say('set'); });
      `,
      { pair, renewed },
      { before: SAY, sources: '[]' },
    );
    const fingerprint = async (): Promise<string> =>
      (await handshake({ port: program.port, servername: 'a.test' })).certificate.fingerprint256;
    const next = async (what: CertificatePair) => {
      program.kill('SIGUSR2');
      await eventually('it is served', async () => (await fingerprint()) === fingerprintOf(what));
    };
    await fingerprint();
    await next(pair);
    await next(renewed);
  });

  it('hears a source that has something to tell before it has started', async () => {
    await using program = await startEmbedder(
      {},
      `say('started');`,
      {},
      {
        before: SAY,
        sources: `[{
        name: 'mine',
        onChange(listener) { listener(undefined); listener(['a.test']); },
        async lookup() { return { kind: 'absent' }; },
        async check() { return { ok: true }; },
        async close() {},
      }]`,
      },
    );
    expect(said(program)).to.deep.equal(['started']);
  });
});
