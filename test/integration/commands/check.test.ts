/**
 * `check`, with the real program, a real Redis and a manager: each mistake is found, with what to do about it.
 */
import { expect } from 'chai';
import { chmod, chown, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeTempDir, makeTestCa, writePair, type TestCa } from '../../support/certificates.js';
import { opensslIssue } from '../../support/openssl-issue.js';
import { startProgram } from '../../support/program.js';
import { check as checkIn, findingsOf as of, type Checked } from '../../support/check-stage.js';
import { runCommand, type RunOptions } from '../../support/run-program.js';

const DAY_MS = 86_400_000;

describe('check', () => {
  let cwd: string;
  let remove: () => Promise<void>;
  const check = (flags: readonly string[], options: Partial<RunOptions> = {}): Promise<Checked> =>
    checkIn(flags, { cwd, ...options });

  beforeEach(async () => {
    ({ dir: cwd, remove } = await makeTempDir());
  });
  afterEach(() => remove());

  it('finds nothing wrong with the embedded default, and leaves nothing behind', async () => {
    const checked = await check([]);
    expect(checked.code).to.equal(0);
    expect(checked.findings.filter(({ level }) => level !== 'ok')).to.deep.equal([]);
    expect(checked.findings.map(({ area }) => area)).to.deep.equal([
      ...['configuration', 'default certificate', 'ports', 'descriptors', 'clock', 'internal CA'],
      ...['state directory', 'control socket'],
    ]);
    expect(await readdir(cwd)).to.deep.equal([]);
  });

  it('is a short text for people', async () => {
    const { code, stdout } = await runCommand(
      ['check', '--max-connections', '10', '--listen', '127.0.0.1:0'],
      {
        cwd,
        env: { PETER_SSLERS_WROKERS: '2' },
      },
    );
    expect(code).to.equal(0);
    expect(stdout).to.equal(
      'warning: configuration: PETER_SSLERS_WROKERS in the environment is no flag and was ignored: did you mean PETER_SSLERS_WORKERS?\n' +
        '    → correct its name, or take it out of the environment\n' +
        `ok: default certificate, ports (--listen 127.0.0.1:0), descriptors, clock, internal CA (${cwd}/.peter-sslers/ca), ` +
        `state directory (${cwd}/.peter-sslers), control socket (${cwd}/.peter-sslers/control.sock)\n` +
        '0 errors, 1 warning\n',
    );
  });

  it('takes a wrong value for a finding, and a wrong flag for wrong usage', async () => {
    const config = join(cwd, 'c.yaml');
    await writeFile(config, 'workers: 2\nlru-maxitems: many\n');
    const checked = await check(['--config', config]);
    expect(checked.code).to.equal(1);
    expect(of(checked, 'configuration')).to.deep.equal([
      `error ${config}:2:1: lru-maxitems must be a whole number from 1 to 10000000, not "many" → correct it, and check again: nothing else could be looked at`,
    ]);
    const { code, stderr } = await runCommand(['check', '--lru-maxitem', '3'], { cwd });
    expect([code, stderr]).to.deep.equal([
      2,
      'peter-sslers-proxy: unknown flag "--lru-maxitem": did you mean --lru-maxitems?\n',
    ]);
  });

  it('finds ports that are taken, and not those of the program that runs with the same state directory', async () => {
    await using program = await startProgram(['--admin-listen', '127.0.0.1:0']);
    const [, admin = ''] =
      (await runCommand(['status'], { cwd: program.cwd })).stdout.match(/http:\/\/(\S+:\d+)/) ?? [];
    const listen = ['--listen', `127.0.0.1:${program.port}`, '--admin-listen', admin];
    const own = await check(listen, { cwd: program.cwd });
    const runs = `ok the running program listens on it (process ${program.pid})`;
    expect(of(own, 'ports')).to.deep.equal([runs, runs]);
    expect(of(own, 'control socket')).to.deep.equal([`ok process ${program.pid} answers`]);
    const other = await check([...listen, '--http-listen', '192.0.2.1:80']);
    expect(other.code).to.equal(1);
    expect(of(other, 'ports').map((text) => text.replace(/ →.*/, ''))).to.deep.equal([
      'error the address is in use by another program',
      'error the address does not belong to this machine',
      'error the address is in use by another program',
    ]);
  });

  it('finds files that others may read, and such as cannot be written', async () => {
    const ca = await makeTestCa();
    const { chainPath, keyPath } = await writePair(join(cwd, 'default'), await ca.issue(['a.test']));
    await chmod(cwd, 0o755);
    await chmod(keyPath, 0o644);
    const pair = ['--default-cert', chainPath, '--default-key', keyPath];
    const checked = await check([...pair, '--log-file', 'no/such/dir.log']);
    const files = of(checked, 'files');
    expect(files[1]).to.equal(
      `error --log-file is in a directory that there is not → mkdir ${join(cwd, 'no/such')}`,
    );
    expect(files[0]).to.equal(
      `warning --default-key holds a private key, and everybody on this machine may read it → chmod o-rwx ${keyPath}`,
    );
    // What is closed above it is closed.
    await chmod(join(cwd, 'default'), 0o700);
    expect(of(await check(pair), 'files')).to.deep.equal([
      'ok --default-key is readable, and not by everybody',
    ]);
  });

  it('finds a state directory that is none, and a control socket whose path is too long', async () => {
    await writeFile(join(cwd, 'file'), '');
    const socket = join(cwd, 'x'.repeat(108));
    const checked = await check(['--state-dir', 'file/state', '--control-socket', socket]);
    expect(of(checked, 'state directory')[0]).to.match(/^error .*cannot be used \(ENOTDIR\) →/);
    expect(of(checked, 'control socket')[0]).to.match(
      /^error its path has \d+ bytes, and no socket may have more/,
    );
  });

  it('warns where root has checked for a program that runs as another user', async () => {
    const stateDir = join(cwd, 'state');
    await mkdir(stateDir);
    expect(of(await check(['--state-dir', stateDir]), 'user')).to.deep.equal([]);
    // Nobody but root may read more than others, nor give a directory away: for anybody else that was all.
    if (process.geteuid?.() !== 0) return;
    await chown(stateDir, 4711, 4712);
    const [found, ...others] = of(await check(['--state-dir', stateDir]), 'user');
    expect(others).to.deep.equal([]);
    expect(found).to.match(
      /^warning it is user 4711's, whom the program seems to run as, and root has checked/,
    );
    expect(found).to.contain(' → check as that user: setpriv --reuid 4711 --regid 4712 --init-groups ');
  });

  it('finds what is wrong with the default certificate', async () => {
    const ca = await makeTestCa();
    const notAfter = Date.now() - DAY_MS;
    const { chainPath, keyPath } = await writePair(
      join(cwd, 'old'),
      await ca.issue(['a.test'], { notAfter }),
    );
    const expired = await check(['--default-cert', chainPath, '--default-key', keyPath]);
    expect(of(expired, 'default certificate')[0]).to.match(/^error .*: it expired on .* → renew it$/);
    const other = await writePair(join(cwd, 'other'), await ca.issue(['b.test']));
    const mismatched = await check(['--default-cert', chainPath, '--default-key', other.keyPath]);
    expect(of(mismatched, 'default certificate')[0]).to.contain(
      'the private key does not belong to the certificate',
    );
  });

  describe('of --cert-dir', () => {
    let ca: TestCa;
    let dir: string;

    beforeEach(async () => {
      ca = await makeTestCa();
      dir = join(cwd, 'live');
      await mkdir(dir);
      await writePair(join(dir, 'good'), await ca.issue(['good.test']));
    });

    const bad: [title: string, make: () => Promise<void>, says: RegExp][] = [
      [
        'a key that belongs to another certificate',
        async () => {
          const { chainPem } = await ca.issue(['bad.test']);
          await writePair(join(dir, 'bad'), { chainPem, keyPem: (await ca.issue(['bad.test'])).keyPem });
        },
        /^error .*does not belong to the certificate → put the key beside/,
      ],
      [
        'one that has expired',
        async () => {
          await writePair(join(dir, 'bad'), await ca.issue(['bad.test'], { notAfter: Date.now() - DAY_MS }));
        },
        /^error it expired on .* → renew it/,
      ],
      [
        'one that expires soon',
        async () => {
          await writePair(
            join(dir, 'bad'),
            await ca.issue(['bad.test'], { notAfter: Date.now() + 3 * DAY_MS }),
          );
        },
        /^warning it expires on .* → renew it/,
      ],
      [
        'a chain without its intermediate',
        async () => {
          const extensions = ['authorityInfoAccess=caIssuers;URI:http://ca.test/ca.crt'];
          await writePair(
            join(dir, 'bad'),
            await opensslIssue(ca.authority, { names: ['bad.test'], extensions }),
          );
        },
        /^warning the intermediate certificate is missing from its chain → put the whole chain/,
      ],
      [
        'one that OpenSSL refuses',
        async () => {
          await writePair(
            join(dir, 'bad'),
            await opensslIssue(ca.authority, { names: ['bad.test'], key: ['RSA', 'rsa_keygen_bits:512'] }),
          );
        },
        /^error OpenSSL .* of this Node does not serve it: .*key too small/,
      ],
      [
        'half a pair',
        async () => {
          await mkdir(join(dir, 'bad'));
          await writeFile(join(dir, 'bad', 'fullchain.pem'), (await ca.issue(['bad.test'])).chainPem);
        },
        /^error .*privkey.pem is missing → put it there/,
      ],
    ];
    for (const [title, make, says] of bad) {
      it(`finds ${title}`, async () => {
        await make();
        const checked = await check(['--cert-dir', dir]);
        const found = of(checked, 'certificates');
        expect(found).to.have.length(1);
        expect(found[0]).to.match(says);
        expect(checked.findings.find(({ area }) => area === 'certificates')?.where).to.equal(
          join(dir, 'bad', 'fullchain.pem'),
        );
        expect(checked.output).not.to.contain('PRIVATE KEY');
      });
    }

    it('says how many are well, and nothing of an old one beside a newer', async () => {
      await writePair(
        join(dir, 'good-0001'),
        await ca.issue(['good.test'], { notAfter: Date.now() - DAY_MS }),
      );
      expect(of(await check(['--cert-dir', dir]), 'certificates')).to.deep.equal([
        'ok 2 can be served, for 1 names',
      ]);
      expect((await readdir(cwd)).sort()).to.deep.equal(['live']);
    });

    it('finds keys that are open to everybody, a directory that is missing, and one without certificates', async () => {
      await chmod(cwd, 0o755);
      await chmod(join(dir, 'good', 'privkey.pem'), 0o644);
      expect(of(await check(['--cert-dir', dir]), 'certificates')).to.deep.equal([
        `warning the private key is open to everybody on this machine → chmod o-rwx ${join(dir, 'good', 'privkey.pem')}`,
      ]);
      expect(of(await check(['--cert-dir', 'nowhere']), 'certificates')[0]).to.match(
        /^error .*cannot be read: ENOENT/,
      );
      await mkdir(join(cwd, 'empty'));
      expect(of(await check(['--cert-dir', 'empty']), 'certificates')[0]).to.match(
        /^warning no certificate was recognised; there is nothing → it looks for fullchain\.pem/,
      );
    });

    it('suspects the clock where certificates begin in the future', async () => {
      const notBefore = Date.now() + DAY_MS;
      await writePair(
        join(dir, 'new'),
        await ca.issue(['new.test'], { notBefore, notAfter: notBefore + 90 * DAY_MS }),
      );
      expect(of(await check(['--cert-dir', dir]), 'clock')[0]).to.match(
        /^warning .*the newest certificate of --cert-dir begins on .*: it may be behind →/,
      );
    });
  });
});
