import { expect } from 'chai';
import { createCli } from '../../../lib/cli/cli.js';
import { COMMANDS } from '../../../lib/cli/commands.js';
import type { CliIo } from '../../../lib/cli/io.js';
import { addressText } from '../../../lib/domain/address.js';
import type { Settings } from '../../../lib/config/settings.js';
import { DEFAULTS, FLAG_NAMES } from '../../../lib/config/flags.js';
import { environmentError } from '../../../lib/domain/errors.js';

interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
  /** What start was given; undefined when it was not reached. */
  settings: Settings | undefined;
}

interface Surroundings {
  env?: Record<string, string>;
  files?: Record<string, string>;
  /** What start does after loading. */
  then?: () => number;
}

async function run(
  argv: string[],
  { env = {}, files = {}, then = () => 0 }: Surroundings = {},
): Promise<Outcome> {
  const outcome: Outcome = { code: -1, stdout: '', stderr: '', settings: undefined };
  const io: CliIo = {
    stdout: (text) => (outcome.stdout += text),
    stderr: (text) => (outcome.stderr += text),
    env,
    cwd: '/work-dir',
    readFile: (path) => files[path] ?? expect.fail(`reads ${path}`),
    cpuCount: 2,
    readStdin: () => Promise.resolve(''),
    isTerminal: false,
    isRunning: () => false,
    now: () => 0,
  };
  const cli = createCli({
    start: (load) => {
      outcome.settings = load().settings;
      return Promise.resolve().then(then);
    },
    checkHtpasswd: (text) => {
      if (text !== 'good') throw new Error('line 1: no colon');
    },
  });
  outcome.code = await cli(argv, io);
  return outcome;
}

const NAME_A_COMMAND = `name a command: ${COMMANDS.map(({ name }) => name).join(', ')} (see --help)`;

describe('the command line', () => {
  it('reads standard input where the file of names is a dash', async () => {
    const { code, stdout } = await run(['warm', '-']);
    expect({ code, stdout }).to.deep.equal({
      code: 0,
      stdout: '0 names: 0 with a certificate, 0 without, 0 could not be looked up\n',
    });
  });

  const wrong: [argv: string[], sentence: string][] = [
    [[], NAME_A_COMMAND],
    [['--workers', '2'], NAME_A_COMMAND],
    [['sotp'], '"sotp" is no command: did you mean stop?'],
    [['stop', 'now'], 'stop: "now" is one word too many (see stop --help)'],
    [['stop', '--jason'], 'stop: unknown flag "--jason": did you mean --json?'],
    [['stop', '--listen=80'], 'stop: unknown flag "--listen", see stop --help'],
    [['expire'], 'expire needs <what> [NAMES..] (see expire --help)'],
    [['expire', 'everything'], 'expire everything: name what is to expire: all, or domain NAME…'],
    [['expire', 'all', 'a.test'], 'expire all takes no names: for these, expire domain NAME…'],
    [['expire', 'domain'], 'expire domain: name one domain or more'],
    [['expire', 'domain', 'a_b', 'a b'], '"a b" is neither a domain name nor an address'],
    [
      ['expire', 'domain', 'a.test', '--hard'],
      '--hard goes with expire all: expire domain is hard by itself',
    ],
    [['warm'], 'warm needs <FILE> (see warm --help)'],
    [['why', '--control-socket'], 'why: --control-socket needs a value'],
    [['--workers', '2', 'why', 'a.test'], 'put the command first: why (see why --help)'],
    [['strat'], '"strat" is no command: did you mean start?'],
    [['--workers', '2', 'strat'], '"strat" is no command: did you mean start?'],
    [['--wildcards', 'strat'], '"strat" is no command: did you mean start?'],
    [['hlep'], '"hlep" is no command: did you mean help?'],
    [['start', 'now'], '"now" is one word too many (see --help)'],
    [['start', 'now', 'please'], '"now" is one word too many (see --help)'],
    [['start', 'start'], '"start" is one word too many (see --help)'],
    [['start', '--lisen', '1'], 'unknown flag "--lisen": did you mean --listen?'],
    [['start', '--lisen=1'], 'unknown flag "--lisen": did you mean --listen?'],
    [['start', '--LISTEN=1'], 'unknown flag "--LISTEN": did you mean --listen?'],
    [['start', '-listen', '1'], 'unknown flag "-listen": did you mean --listen?'],
    [['start', '--cert_drl', 'x'], 'unknown flag "--cert_drl": did you mean --cert-dir?'],
    [['start', '--no-wildcrads'], 'unknown flag "--no-wildcrads": did you mean --no-wildcards?'],
    [['--hepl'], 'unknown flag "--hepl": did you mean --help?'],
    [['-v'], 'unknown flag "-v": did you mean -V?'],
    [['-H'], 'unknown flag "-H": did you mean -h?'],
    [['start', '--bogus'], 'unknown flag "--bogus", see --help'],
    [['start', '--bogus=secret'], 'unknown flag "--bogus", see --help'],
    [
      ['start', '--admin-listen', '80'],
      '--admin-listen is open to other machines on 0.0.0.0:80: it needs --admin-user-file',
    ],
    [['start', '--http-listen'], '--http-listen needs a value'],
    [
      ['start', '--hsts', 'on'],
      '--hsts must have a max-age, such as "max-age=31536000; includeSubDomains", not "on"',
    ],
    [['start', '--__proto__=x'], 'unknown flag "--__proto__", see --help'],
    [['start', '-w', '2'], 'unknown flag "-w", see --help'],
    [['start', '--', '--workers=2'], 'unknown flag "--", see --help'],
    [['start', '--workers'], '--workers needs a value'],
    [['start', '--cert_dir', '--wildcards'], '--cert_dir needs a value'],
    [['start', '--workers='], '--workers needs a value'],
    [['start', '--workers=1', '--workers', '2'], '--workers may be given once only'],
    [['start', '--lru_maxitems=1', '--lru-maxitems=2'], '--lru-maxitems may be given once only'],
    [['start', '--wildcards', '--no-wildcards'], '--wildcards may be given once only'],
    [['start', '--no-workers'], 'unknown flag "--no-workers": did you mean --workers?'],
    [['start', '--no-wildcards=true'], '--no-wildcards takes no value'],
    [['start', '--wildcards', 'maybe'], '--wildcards must be true or false, not "maybe"'],
    [['start', '--enable_autocert', 'nil'], '--enable-autocert must be true or false, not "nil"'],
    [['--wildcards', 'maybe', 'start'], '--wildcards must be true or false, not "maybe"'],
    [['start', '--no-wildcards', 'maybe'], '--no-wildcards takes no value'],
    [['start', '--wildcards=true', 'maybe'], '"maybe" is one word too many (see --help)'],
    [['start', '--wildcards=maybe'], '--wildcards must be true or false, not "maybe"'],
    [['start', '--miss-rate', '-5'], '--miss-rate must be a number above 0 and up to 1000000, not "-5"'],
    [
      ['start', '--workers', '0x10'],
      '--workers must be a whole number from 1 to 16 (this machine has 2 CPU cores; 2 workers are sensible), not "0x10"',
    ],
    [['start', '--admin-user-file', '/h'], '--admin-user-file /h: line 1: no colon'],
  ];
  for (const [argv, sentence] of wrong) {
    it(`ends \`${argv.join(' ')}\` with code 2 and one sentence`, async () => {
      const { code, stdout, stderr, settings } = await run(argv, { files: { '/h': 'bad' } });
      expect({ code, stdout, stderr, settings }).to.deep.equal({
        code: 2,
        stdout: '',
        stderr: `peter-sslers-proxy: ${sentence}\n`,
        settings: undefined,
      });
    });
  }

  const right: [argv: string[], pick: (settings: Settings) => unknown, value: unknown][] = [
    [['--workers=5'], (s) => s.workers, 5],
    [['--workers', '5'], (s) => s.workers, 5],
    [['--lru_maxitems', '007'], (s) => s.lruMaxItems, 7],
    [['--cert_cache-duration=1.50'], (s) => s.certCacheDurationMs, 1500],
    [
      ['--listen', '127.0.0.1:1', '--listen=[::1]:2'],
      (s) => s.listen.map(addressText),
      ['127.0.0.1:1', '[::1]:2'],
    ],
    [['--listen', '127.0.0.1:1,[::1]:2'], (s) => s.listen.length, 2],
    [['--wildcards'], (s) => s.wildcards, true],
    [['--wildcards', 'true'], (s) => s.wildcards, true],
    [['--wildcards=1'], (s) => s.wildcards, true],
    [['--wildcards=false'], (s) => s.wildcards, false],
    [['--wildcards', 'false'], (s) => s.wildcards, false],
    [['--wildcards', 'no'], (s) => s.wildcards, false],
    [['--wildcards', 'Off'], (s) => s.wildcards, false],
    [['--wildcards', '0'], (s) => s.wildcards, false],
    [['--wildcards', 'yes'], (s) => s.wildcards, true],
    [['--wildcards', 'on'], (s) => s.wildcards, true],
    [['--wildcards', '1'], (s) => s.wildcards, true],
    [['--no-wildcards'], (s) => s.wildcards, false],
    [['--cert-cache-duration', '1h30m'], (s) => s.certCacheDurationMs, 5_400_000],
    [['--log-level', 'warn'], (s) => s.log.level, 'notice'],
    [['--no-expire_workers'], (s) => s.expireWorkers, false],
    [['--cert-dir', '5'], (s) => s.certDir, '/work-dir/5'],
    [['--cert-dir=a=b'], (s) => s.certDir, '/work-dir/a=b'],
    [['--via'], (s) => s.headers.via, true],
    [['--no-forward_tls-info'], (s) => s.headers.forwardTlsInfo, false],
    [['--backend', 'a.example=http://h', '--backend=http://h'], (s) => s.routes.length, 2],
    [['--access-log', '-'], (s) => s.accessLog, { format: 'common' }],
    [['--pid-file', '-'], (s) => s.pidFile, '/work-dir/-'],
    [['--admin-user-file', '/h'], (s) => s.admin.htpasswd, 'good'],
  ];
  for (const [flags, pick, value] of right) {
    it(`starts with \`${flags.join(' ')}\``, async () => {
      const { code, stderr, settings } = await run(['start', ...flags], { files: { '/h': 'good' } });
      expect([code, stderr, settings && pick(settings)]).to.deep.equal([0, '', value]);
    });
  }

  it('lets flags stand before the command', async () => {
    expect((await run(['--workers', '5', 'start'])).settings?.workers).to.equal(5);
  });

  it('reads the environment and the configuration file', async () => {
    const { settings } = await run(['start', '--config', 'p.yaml'], {
      env: { PETER_SSLERS_WORKERS: '4' },
      files: { '/work-dir/p.yaml': 'lru-maxitems: 9\n' },
    });
    expect([settings?.workers, settings?.lruMaxItems]).to.deep.equal([4, 9]);
  });

  it('shows every flag and its default in --help', async () => {
    const shows = [['--help'], ['-h'], ['help'], ['start', '--help'], ['start', '-h'], ['help', 'start']];
    for (const argv of shows) {
      const { code, stdout, stderr, settings } = await run(argv);
      expect([code, stderr, settings]).to.deep.equal([0, '', undefined]);
      const text = stdout.replaceAll(/\s+/g, ' ');
      for (const name of FLAG_NAMES) {
        expect(text, name).to.match(new RegExp(`--${name} `));
        expect(text, name).to.include(`[default: ${DEFAULTS[name]}]`);
      }
    }
  });

  it('shows the version of the package', async () => {
    for (const argv of [['--version'], ['-V']]) {
      const { code, stdout } = await run(argv);
      expect(code).to.equal(0);
      expect(stdout).to.match(/^\d+\.\d+\.\d+\n$/);
    }
  });

  it('gives the exit code of start', async () => {
    expect((await run(['start'], { then: () => 7 })).code).to.equal(7);
  });

  const failures: [title: string, error: Error, code: number, sentence: string][] = [
    ['the environment', environmentError('127.0.0.1:8443 is in use'), 1, '127.0.0.1:8443 is in use'],
    ['a bug', new TypeError('x is\n undefined'), 1, 'x is undefined'],
  ];
  for (const [title, error, code, sentence] of failures) {
    const then = (): number => {
      throw error;
    };

    it(`ends with code ${code} and one sentence when ${title} is at fault`, async () => {
      const outcome = await run(['start'], { then });
      expect([outcome.code, outcome.stderr]).to.deep.equal([code, `peter-sslers-proxy: ${sentence}\n`]);
    });

    it(`adds the stack with --log-level debug only, when ${title} is at fault`, async () => {
      const byFlag = await run(['start', '--log-level=debug'], { then });
      const byVariable = await run(['start'], { then, env: { PETER_SSLERS_LOG_LEVEL: 'debug' } });
      const byOtherName = await run(['start', '--log-level', 'trace'], { then });
      for (const { stderr } of [byFlag, byVariable, byOtherName]) {
        expect(stderr).to.match(/^peter-sslers-proxy: .*\n\w*Error: [\s\S]*\n {4}at /);
      }
    });
  }
});
