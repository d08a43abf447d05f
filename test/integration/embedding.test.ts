/**
 * The library in programs that do as they like: with clusters and scripts of their own, and with what no type has looked at.
 */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { makeTempDir } from '../support/certificates.js';
import { handshake } from '../support/client.js';
import { said, SAY, startEmbedder } from '../support/embedder.js';
import { eventually } from '../support/eventually.js';

const execute = promisify(execFile);

describe('The library, in a program that does as it likes,', () => {
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
});
