/**
 * SIGHUP with a mistake in a file: one clear line, and everything stays as it was.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { type Backend } from '../../support/backend.js';
import { makeTempDir, makeTestCa, writePair, type TestCa } from '../../support/certificates.js';
import { handshake, request } from '../../support/client.js';
import type { LogLine, Program } from '../../support/program.js';
import { startWithConfig, startWordBackend, writeConfig } from '../../support/process-stage.js';

const REFUSED = 'not reloaded, everything stays as it was';

describe('A reload with a mistake', () => {
  let ca: TestCa;
  let dir: string;
  let remove: () => Promise<void>;
  let backend: Backend;
  let other: Backend;
  let program: Program;
  const path = (file: string): string => join(dir, file);

  const flags = (changes: Record<string, unknown> = {}): Record<string, unknown> => ({
    workers: 1,
    backend: backend.url,
    'default-cert': path('default/fullchain.pem'),
    'default-key': path('default/privkey.pem'),
    'admin-user-file': path('users'),
    'fallback-server': 'http://127.0.0.1:9',
    'fallback-ca': path('ca.pem'),
    'fallback-credentials': path('credentials'),
    'autocert-allow': `@${path('allowed')}`,
    'cert-dir': path('certs'),
    ...changes,
  });

  /** All files as they should be. */
  const writeAll = async (): Promise<void> => {
    await rm(path('proxy.json'), { recursive: true, force: true });
    await writeConfig(path('proxy.json'), flags());
    await writePair(path('default'), await ca.issue(['default.invalid']));
    await writeFile(path('users'), 'ann:{PLAIN}one\n');
    await writeFile(path('ca.pem'), ca.rootPem);
    await writeFile(path('credentials'), 'user:password\n');
    await writeFile(path('allowed'), 'example.com\n');
    await writePair(path('certs/a'), await ca.issue(['a.test']));
  };

  before(async () => {
    ca = await makeTestCa();
    ({ dir, remove } = await makeTempDir());
    backend = await startWordBackend('old');
    other = await startWordBackend('new');
    await writeAll();
    program = await startWithConfig(path('proxy.json'), { cwd: dir });
  });

  after(async () => {
    await program[Symbol.asyncDispose]();
    await backend[Symbol.asyncDispose]();
    await other[Symbol.asyncDispose]();
    await remove();
  });

  /** Sends SIGHUP; returns what the log says of it. */
  async function failedReload(): Promise<LogLine[]> {
    const before = program.log.length;
    const count = program.log.filter(({ msg }) => msg === REFUSED).length;
    program.kill('SIGHUP');
    await program.logged(REFUSED, {}, count + 1);
    return program.log.slice(before);
  }

  const mistakes: [what: string, make: () => Promise<unknown>, says: RegExp][] = [
    [
      'an unparsable configuration file',
      () => writeFile(path('proxy.json'), '{\n  "workers": 1,\n  "backend": \n'),
      /^\S+proxy\.json:\d+:\d+: this is neither YAML nor JSON/,
    ],
    [
      'an empty configuration file',
      () => writeFile(path('proxy.json'), ''),
      /^\S+proxy\.json: the file is empty: write \{\} into it/,
    ],
    [
      'a configuration file of comments only',
      () => writeFile(path('proxy.json'), '# workers: 1\n---\n'),
      /^\S+proxy\.json: the file is empty: write \{\} into it/,
    ],
    [
      'a directory for a configuration file',
      async () => {
        await rm(path('proxy.json'));
        await mkdir(path('proxy.json'));
      },
      /^--config names \S+proxy\.json, which cannot be read: it is a directory/,
    ],
    [
      'an empty htpasswd file',
      () => writeFile(path('users'), ''),
      /^\S+ admin-user-file names \S+users, which holds no user/,
    ],
    [
      'an empty default certificate',
      () => writeFile(path('default/fullchain.pem'), ''),
      /default-cert \S+fullchain\.pem/,
    ],
    [
      'empty credentials',
      () => writeFile(path('credentials'), ''),
      /fallback-credentials names \S+credentials, whose first line is not user:password/,
    ],
    [
      'more workers than the machine can do with',
      () => writeConfig(path('proxy.json'), flags({ workers: 100_000 })),
      /^\S+proxy\.json:\d+:\d+: workers must be a whole number from 1 to \d+ \(this machine has/,
    ],
    [
      'an unknown key in it',
      () => writeConfig(path('proxy.json'), flags({ backnd: 'http://127.0.0.1:1' })),
      /^\S+proxy\.json:\d+:\d+: unknown key "backnd": did you mean backend\?$/,
    ],
    [
      'a number out of range in it',
      () => writeConfig(path('proxy.json'), flags({ 'lru-maxitems': 0 })),
      /^\S+proxy\.json:\d+:\d+: lru-maxitems must be a whole number from 1 to/,
    ],
    [
      'no configuration file',
      () => rm(path('proxy.json')),
      /^--config names \S+proxy\.json, which cannot be read/,
    ],
    [
      'a default key of another certificate',
      async () =>
        writeFile(path('default/privkey.pem'), (await ca.issue(['default.invalid'])).keyPem, { mode: 0o600 }),
      /default-cert \S+fullchain\.pem with --default-key \S+privkey\.pem: .*key/,
    ],
    [
      'half a default certificate',
      async () =>
        writeFile(
          path('default/fullchain.pem'),
          (await ca.issue(['default.invalid'])).chainPem.slice(0, 200),
        ),
      /default-cert \S+fullchain\.pem/,
    ],
    [
      'nonsense in the htpasswd file',
      () => writeFile(path('users'), 'ann:{PLAIN}one\nthis is no user\n'),
      /admin-user-file \S+users: .*line 2/,
    ],
    [
      'no certificate among the authorities',
      () => writeFile(path('ca.pem'), 'nothing\n'),
      /fallback-ca names \S+ca\.pem, which holds no PEM certificate/,
    ],
    [
      'no credentials where they should be',
      () => writeFile(path('credentials'), 'password\n'),
      /fallback-credentials names \S+credentials, whose first line is not user:password/,
    ],
    [
      'a pattern that is none in the allow-list',
      () => writeFile(path('allowed'), 'example.com\nex*mple.com\n'),
      /autocert-allow \S+allowed: line 2 must be/,
    ],
    [
      'a certificate directory that is gone',
      () => writeConfig(path('proxy.json'), flags({ 'cert-dir': path('gone') })),
      /gone/,
    ],
    [
      'a log file that cannot be written',
      () => writeConfig(path('proxy.json'), flags({ 'log-file': path('gone/log'), 'log-level': 'err' })),
      /log-file names \S+log, which cannot be written/,
    ],
  ];

  for (const [what, make, says] of mistakes) {
    it(`(${what}) says so in one line and keeps the old state, and a later one works`, async () => {
      const { certificate } = await handshake({ port: program.port });
      await writeConfig(path('proxy.json'), flags({ backend: other.url }));
      await writePair(path('default'), await ca.issue(['default.invalid']));
      await make();
      const lines = await failedReload();
      expect(lines.map(({ level, msg }) => [level, msg])).to.deep.equal([['err', REFUSED]]);
      expect(lines[0]?.['error']).to.match(says);
      expect(JSON.stringify(lines)).not.to.match(/PRIVATE KEY|\{PLAIN\}|"stack"/);
      expect((await handshake({ port: program.port })).certificate.serialNumber).to.equal(
        certificate.serialNumber,
      );
      expect((await handshake({ port: program.port, servername: 'a.test' })).names).to.equal('a.test');
      const admin = { port: program.port, path: '/.peter_sslers/nginx/shared_cache/status' };
      expect((await request({ ...admin, auth: 'ann:one' })).status).to.equal(200);
      expect((await request({ port: program.port, name: 'a.test' })).body).to.equal('old');

      await writeAll();
      await program.reload();
      expect((await handshake({ port: program.port })).certificate.serialNumber).not.to.equal(
        certificate.serialNumber,
      );
    });
  }
});
