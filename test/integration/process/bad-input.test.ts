/**
 * What is wrong at the start: one sentence on stderr, an exit code, and nothing left running.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { makeTempDir, makeTestCa, writePair } from '../../support/certificates.js';
import { BIN, groupIsEmpty } from '../../support/process-stage.js';

interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Whether a process of it was left. */
  readonly left: boolean;
}

/** Runs the command to its end, in a process group of its own. */
async function run(args: readonly string[], cwd: string, env: Record<string, string> = {}): Promise<Run> {
  const child = spawn(process.execPath, [BIN, ...args], {
    cwd,
    env: { ...process.env, ...env },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr, left: !groupIsEmpty(child.pid ?? 0) };
}

const USAGE = 2;
const ENVIRONMENT = 1;
const START = ['start', '--listen', '127.0.0.1:0', '--workers', '1', '--log-level', 'err'];

describe('A start with', () => {
  let dir: string;
  let remove: () => Promise<void>;
  const path = (file: string): string => join(dir, file);
  const blocker = createServer();
  const port = (): number => (blocker.address() as AddressInfo).port;

  before(async () => {
    ({ dir, remove } = await makeTempDir());
    const ca = await makeTestCa();
    await writePair(path('good'), await ca.issue(['default.invalid']));
    const other = await ca.issue(['default.invalid']);
    await writeFile(path('other.key'), other.keyPem, { mode: 0o600 });
    await writeFile(path('nonsense.pem'), 'nonsense\n');
    await writeFile(path('empty'), '');
    await writeFile(path('users'), 'ann:{SHA}yKD8pLcW4dRzdN8xw3uQWu0R9KA=\nno user on this line\n');
    await writeFile(path('broken.yaml'), 'workers: 1\nlisten: [127.0.0.1:0\n');
    await writeFile(path('broken.json'), '{\n  "workers": 1,\n  "lru-maxitems" 5\n}\n');
    await writeFile(path('unknown.yaml'), 'workers: 1\n# a comment\nwrokers: 2\n');
    await writeFile(path('value.json'), '{\n  "workers": 1,\n  "lru_cache_duration": 0\n}\n');
    blocker.listen(0, '127.0.0.1');
    await once(blocker, 'listening');
  });

  after(async () => {
    blocker.close();
    await remove();
  });

  const pair = (cert: string, key: string): string[] => ['--default-cert', cert, '--default-key', key];

  const cases: [what: string, args: () => string[], code: number, says: RegExp][] = [
    ['an unknown flag', () => [...START, '--nonsense=1'], USAGE, /unknown flag "--nonsense", see --help/],
    ['a flag without its value', () => ['start', '--workers'], USAGE, /--workers needs a value/],
    ['a flag misspelled', () => [...START, '--lisen', '1'], USAGE, /"--lisen": did you mean --listen\?$/m],
    ['a word too many', () => [...START, 'extra'], USAGE, /"extra" is one word too many/],
    [
      'a word behind a switch that is none of its values',
      () => [...START, '--enable-autocert', 'maybe'],
      USAGE,
      /--enable-autocert must be true or false, not "maybe"$/m,
    ],
    [
      'a duration that is none',
      () => [...START, '--lookup-timeout', '5x'],
      USAGE,
      /--lookup-timeout must be a duration from 0\.001 to \d+ seconds, such as .*1h30m or 2d, not "5x"$/m,
    ],
    [
      'a size that is none',
      () => [...START, '--max-header-size', '2M'],
      USAGE,
      /--max-header-size must be a size from 1 KiB to 1 MiB, such as 16K or 16 KiB, not "2M"$/m,
    ],
    [
      'a host name to listen on',
      () => ['start', '--listen', 'example.com:443'],
      USAGE,
      /--listen must be an IP address and a port, .*localhost:8443, or a port alone, not "example\.com:443"$/m,
    ],
    [
      'a number below its range',
      () => ['start', '--workers', '0'],
      USAGE,
      /--workers must be a whole number from 1 to \d+/,
    ],
    [
      'more workers than the machine can do with',
      () => ['start', '--workers', '100000'],
      USAGE,
      /--workers must be a whole number from 1 to \d+ \(this machine has \d+ CPU cores?; \d+ workers? /,
    ],
    ['a negative duration', () => [...START, '--lookup-timeout=-1'], USAGE, /--lookup-timeout must be/],
    [
      'the duration 0',
      () => [...START, '--cert-cache-duration', '0'],
      USAGE,
      /--cert-cache-duration .*0.* once meant "for ever"/,
    ],
    [
      'the duration 0, spelled the other way',
      () => [...START, '--lru_cache_duration=0'],
      USAGE,
      /--lru-cache-duration .*0.* once meant "for ever"/,
    ],
    ['a level that is none', () => ['start', '--log-level', 'loud'], USAGE, /--log-level must be one of err/],
    [
      'a certificate without its key',
      () => [...START, '--default-cert', path('good/fullchain.pem')],
      USAGE,
      /--default-cert needs a --default-key/,
    ],
    [
      'a certificate that is not there',
      () => [...START, ...pair(path('gone.pem'), path('other.key'))],
      USAGE,
      /--default-cert names \S+gone\.pem, which cannot be read: there is no such file/,
    ],
    [
      'a key that is a directory',
      () => [...START, ...pair(path('good/fullchain.pem'), dir)],
      USAGE,
      /--default-key names \S+, which cannot be read: it is a directory/,
    ],
    [
      'the key of another certificate',
      () => [...START, ...pair(path('good/fullchain.pem'), path('other.key'))],
      USAGE,
      /--default-cert \S+fullchain\.pem with --default-key \S+other\.key: .*key/,
    ],
    [
      'nonsense for a certificate',
      () => [...START, ...pair(path('nonsense.pem'), path('other.key'))],
      USAGE,
      /--default-cert \S+nonsense\.pem/,
    ],
    [
      'an empty file for a key',
      () => [...START, ...pair(path('good/fullchain.pem'), path('empty'))],
      USAGE,
      /--default-key \S+empty/,
    ],
    [
      'an htpasswd file with nonsense',
      () => [...START, '--admin-user-file', path('users')],
      USAGE,
      /--admin-user-file \S+users: .*line 2/,
    ],
    [
      'no configuration file where it should be',
      () => [...START, '--config', path('gone.yaml')],
      USAGE,
      /--config names \S+gone\.yaml, which cannot be read: there is no such file/,
    ],
    [
      'an empty configuration file',
      () => [...START, '--config', path('empty')],
      USAGE,
      /\/empty: the file is empty: write \{\} into it/,
    ],
    [
      'a configuration file that is a directory',
      () => [...START, '--config', dir],
      USAGE,
      /--config names \S+, which cannot be read: it is a directory/,
    ],
    [
      'an htpasswd file without a user',
      () => [...START, '--admin-user-file', path('empty')],
      USAGE,
      /--admin-user-file names \S+empty, which holds no user/,
    ],
    [
      'YAML that cannot be parsed',
      () => [...START, '--config', path('broken.yaml')],
      USAGE,
      /broken\.yaml:\d+:\d+: this is neither YAML nor JSON/,
    ],
    [
      'JSON that cannot be parsed',
      () => [...START, '--config', path('broken.json')],
      USAGE,
      /broken\.json:[34]:\d+: /,
    ],
    [
      'an unknown key in the configuration file',
      () => [...START, '--config', path('unknown.yaml')],
      USAGE,
      /unknown\.yaml:3:1: unknown key "wrokers": did you mean workers\?$/m,
    ],
    [
      'a wrong value in the configuration file',
      () => [...START, '--config', path('value.json')],
      USAGE,
      /value\.json:3:3: lru-cache-duration .*0.* once meant "for ever"/,
    ],
    [
      'a certificate directory that is not there',
      () => [...START, '--cert-dir', path('gone')],
      USAGE,
      /certificate directory \S+gone cannot be read/,
    ],
    [
      'a log file that cannot be written',
      () => [...START, '--log-file', path('gone/log')],
      USAGE,
      /--log-file names \S+log, which cannot be written/,
    ],
    [
      'a pid file that cannot be written',
      () => [...START, '--pid-file', path('gone/pid')],
      USAGE,
      /--pid-file \S+gone\/pid: /,
    ],
    [
      'a port that is in use',
      () => ['start', '--workers', '1', '--log-level', 'err', '--listen', `127.0.0.1:${port()}`],
      ENVIRONMENT,
      /--listen 127\.0\.0\.1:\d+: the address is in use by another program/,
    ],
    [
      'one good address and one that is in use',
      () => [...START, '--listen', `127.0.0.1:${port()}`],
      ENVIRONMENT,
      /--listen 127\.0\.0\.1:\d+: the address is in use by another program/,
    ],
    [
      "an address that is not this machine's",
      () => ['start', '--workers', '1', '--log-level', 'err', '--listen', '192.0.2.1:8443'],
      ENVIRONMENT,
      /--listen 192\.0\.2\.1:8443: the address does not belong to this machine/,
    ],
  ];

  for (const [what, args, code, says] of cases) {
    it(`${what} is one sentence, exit code ${code}, and leaves nothing running`, async () => {
      const result = await run(args(), dir);
      expect(result.stderr).to.match(/^peter-sslers-proxy: [^\n]+\n$/);
      expect(result.stderr).to.match(says);
      expect(result).to.include({ code, stdout: '', left: false });
    });
  }

  it('a wrong value in the environment names the variable', async () => {
    const result = await run(START, dir, { PETER_SSLERS_MISS_RATE: 'many' });
    expect(result).to.include({ code: USAGE, left: false });
    expect(result.stderr).to.match(/^peter-sslers-proxy: PETER_SSLERS_MISS_RATE must be [^\n]+\n$/);
  });

  it('--log-level debug shows the stack below the sentence', async () => {
    const args = ['start', '--log-level', 'debug', '--default-cert', path('gone.pem'), '--default-key', 'x'];
    const result = await run(args, dir);
    expect(result.code).to.equal(USAGE);
    const [sentence, ...stack] = result.stderr.trimEnd().split('\n');
    expect(sentence).to.match(/^peter-sslers-proxy: --default-cert names/);
    expect(stack.some((line) => line.startsWith('    at '))).to.equal(true);
  });
});

describe('The command', () => {
  const cases: [args: string[], says: RegExp][] = [
    [[], /^peter-sslers-proxy: name a command: start, [^\n]+ \(see --help\)\n$/],
    [['frobnicate'], /^peter-sslers-proxy: "frobnicate" is no command: [^\n]+\n$/],
    [['strat'], /^peter-sslers-proxy: "strat" is no command: did you mean start\?\n$/],
    [['-v'], /^peter-sslers-proxy: unknown flag "-v": did you mean -V\?\n$/],
    [['--workers', '2'], /^peter-sslers-proxy: name a command: [^\n]+\n$/],
  ];
  for (const [args, says] of cases) {
    it(`"${args.join(' ')}" is no start: one sentence, exit code 2`, async () => {
      const { dir, remove } = await makeTempDir();
      const result = await run(args, dir);
      await remove();
      expect(result.stderr).to.match(says);
      expect(result).to.include({ code: USAGE, stdout: '', left: false });
    });
  }
});
