/**
 * The library in programs that do as they like: with clusters and scripts of their own, and with what no type has looked at.
 */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import type { CertificatePair } from '../../lib/index.js';
import { makeTempDir, makeTestCa, writePair } from '../support/certificates.js';
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

  it('takes what is undefined for not given, and refuses what no flag can be, and sources that are none', async () => {
    await using program = await startEmbedder(
      {},
      '',
      { pair },
      {
        before: `
          import { existsSync } from 'node:fs';
          ${SAY}
          const own = { listen: '127.0.0.1:0', workers: 1, 'log-level': 'err', 'cert-dir': undefined };
          await (await start({ settings: { ...own, 'log-file': undefined }, sources: undefined })).stop();
          say(existsSync('undefined'));
          const refused = async (options) => say(await failureOf(() => start(options)));
          await refused({ settings: { 'cert-dir': null } });
          await refused({ settings: { 'default-cert': ['a.pem', undefined] } });
          await refused({ settings: { backend: { name: 'http://127.0.0.1' } } });
          await refused({ settings: 'workers=1' });
          await refused('workers=1');
          const mine = { name: 'mine', async lookup() {}, async check() {}, async close() {} };
          await refused({ sources: mine });
          await refused({ sources: [mine, null] });
          await refused({ sources: [{ ...mine, name: '' }] });
          await refused({ sources: [{ ...mine, close: undefined }] });
          await refused({ sources: [mine, mine] });
          await refused({ sources: [{ ...mine, name: 'lru' }] });
        `,
      },
    );
    const value = 'must be a text, a number, true or false, or a list of those';
    expect(said(program)).to.deep.equal([
      false,
      `ERR_USAGE: the setting cert-dir ${value}, not null`,
      `ERR_USAGE: the setting default-cert ${value}, not a list with undefined in it`,
      `ERR_USAGE: the setting backend ${value}, not an object`,
      'ERR_USAGE: settings must be an object of flags by their names',
      'ERR_USAGE: start takes an object with settings and sources',
      'ERR_USAGE: sources must be a list',
      'ERR_USAGE: sources[1] is no source: it is no object with a name',
      'ERR_USAGE: sources[0] is no source: it is no object with a name',
      'ERR_USAGE: sources[0] ("mine") is no source: it has no method close',
      'ERR_USAGE: sources[1] ("mine") has the name of another source',
      'ERR_USAGE: sources[0] ("lru") has the name of a tier that is no source',
    ]);
  });

  it('says of a name or a certificate that is none, without types too, what it must be', async () => {
    await using program = await startEmbedder(
      {},
      `
        say(await failureOf(() => proxy.cache.get(undefined)));
        say(await failureOf(() => proxy.expireDomain(5)));
        say(await failureOf(() => proxy.cache.set('a.test', input.pair)));
        say(await failureOf(() => proxy.cache.set('a.test', [{ ...input.pair, keyPem: Buffer.from('key') }])));
      `,
      { pair },
      { before: SAY },
    );
    expect(said(program)).to.deep.equal([
      'ERR_USAGE: undefined is no host name',
      'ERR_USAGE: 5 is no host name',
      'ERR_USAGE: the certificates for a.test must be a list of pairs',
      'ERR_USAGE: the certificate for a.test is unusable: it is no pair of texts, `chainPem` and `keyPem`',
    ]);
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

  it('goes on with the paths that it has begun with, wherever the program has moved to', async () => {
    const { dir, remove } = await makeTempDir();
    try {
      const paths = await writePair(dir, pair);
      await using program = await startEmbedder(
        { 'default-cert': basename(paths.chainPath), 'default-key': basename(paths.keyPath) },
        `
          process.chdir('/');
          await proxy.reload();
        `,
        { dir },
        { before: `process.chdir(${JSON.stringify(dir)});` },
      );
      await program.logged('reloaded');
    } finally {
      await remove();
    }
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
