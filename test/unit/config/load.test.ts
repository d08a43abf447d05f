import { expect } from 'chai';
import { CERT_PREFERENCES } from '../../../lib/config/flags.js';
import { load, problemOf, type Given } from './stage.js';
import { managerAt } from '../../support/servers.js';

/** On the machine of `load`. */
const WORKERS =
  'must be a whole number from 1 to 24 (this machine has 3 CPU cores; 3 workers are sensible), not';
const MANAGER = 'https://manager.internal/.well-known/peter_sslers';

describe('loadSettings: defaults', () => {
  it('gives exactly the documented settings when nothing is set', () => {
    const { settings, warnings } = load();
    expect({ settings, warnings }).to.deep.equal({
      warnings: [],
      settings: {
        listen: [{ host: '127.0.0.1', port: 8443 }],
        httpListen: [],
        acceptProxyProtocol: [],
        routes: [],
        unknownName: 'serve',
        http2Engine: 'own',
        headers: { trustedProxies: [], via: false, forwardTlsInfo: false },
        limits: {
          maxHeaderBytes: 16_384,
          headerTimeoutMs: 10_000,
          idleTimeoutMs: 60_000,
          bodyTimeoutMs: 60_000,
          backendConnectTimeoutMs: 5000,
          backendHeadersTimeoutMs: 60_000,
          backendBodyTimeoutMs: 60_000,
          backendRestartWaitMs: 1000,
          tcpIdleTimeoutMs: 3_600_000,
          maxConnections: 10_000,
          maxConnectionsPerClient: 1000,
        },
        workers: 3,
        internalCa: {
          dir: '/work-dir/.peter-sslers/ca',
          allow: ['localhost', '*.localhost', '*.test', '*.internal'],
        },
        sources: ['ca'],
        wildcards: false,
        challenges: { servers: [] },
        certDirIntervalMs: 2000,
        certCacheDurationMs: 600_000,
        certCacheSizeBytes: 268_435_456,
        negativeMaxItems: 100_000,
        errorCacheDurationMs: 5000,
        absentGraceMs: 86_400_000,
        lruCacheDurationMs: 60_000,
        lruMaxItems: 200,
        expireWorkers: false,
        admin: { prefix: '/.peter_sslers', hosts: [], listen: [] },
        stateDir: '/work-dir/.peter-sslers',
        log: { level: 'notice', format: 'text' },
        handshakeTimeoutMs: 5000,
        lookupTimeoutMs: 2000,
        refreshTimeoutMs: 100,
        autocertTimeoutMs: 30_000,
        drainTimeoutMs: 30_000,
      },
    });
  });

  it('gives a manager and Redis their defaults when they are switched on', () => {
    const { settings } = load({
      flags: { 'fallback-server': `${MANAGER}/`, 'redis-strategy': '1', 'enable-autocert': 'true' },
    });
    expect(settings.redis).to.deep.equal({ strategy: 1, url: 'redis://127.0.0.1:6379/9' });
    expect(settings.manager).to.deep.equal({
      ...managerAt(MANAGER),
      preferences: CERT_PREFERENCES,
      autocert: { allow: ['*'], holdoffMs: 900_000, concurrency: 2, timeoutMs: 30_000 },
      missRate: 200,
    });
    expect(settings.sources).to.deep.equal(['redis', 'manager']);
    expect(settings.internalCa).to.equal(undefined);
  });
});

describe('loadSettings: where a value comes from', () => {
  const files = { '/work-dir/p.yaml': 'workers: 5\nlru_maxitems: 55\nlisten: [127.0.0.1:1, "[::1]:2"]\n' };

  it('takes the flag before the environment, that before the file, and that before the default', () => {
    const env = { PETER_SSLERS_CONFIG: 'p.yaml', PETER_SSLERS_WORKERS: '6' };
    expect(load({ flags: { workers: '7' }, env, files }).settings.workers).to.equal(7);
    expect(load({ env, files }).settings.workers).to.equal(6);
    expect(load({ flags: { config: 'p.yaml' }, files }).settings.workers).to.equal(5);
    expect(load({ flags: { config: 'p.yaml' }, files }).settings.negativeMaxItems).to.equal(100_000);
  });

  it('lets a list of a higher place replace one of a lower place', () => {
    const { settings } = load({ flags: { config: 'p.yaml', listen: '127.0.0.1:9' }, files });
    expect(settings.listen).to.deep.equal([{ host: '127.0.0.1', port: 9 }]);
  });

  it('takes underscores for dashes on the command line, also mixed', () => {
    const { settings } = load({ flags: { lru_maxitems: '7', 'cert_cache-duration': '8.5' } });
    expect([settings.lruMaxItems, settings.certCacheDurationMs]).to.deep.equal([7, 8500]);
  });

  it('takes commas between several values in the environment', () => {
    const { settings } = load({
      env: { PETER_SSLERS_LISTEN: '127.0.0.1:1, [::1]:2', PETER_SSLERS_ADMIN_HOST: 'a.example,b.example' },
    });
    expect(settings.listen).to.deep.equal([
      { host: '127.0.0.1', port: 1 },
      { host: '::1', port: 2 },
    ]);
    expect(settings.admin.hosts).to.deep.equal(['a.example', 'b.example']);
  });

  it('takes an empty variable for one that is not set', () => {
    expect(load({ env: { PETER_SSLERS_WORKERS: '' } }).settings.workers).to.equal(3);
  });

  it('warns of a variable that is no flag, and goes on', () => {
    expect(load({ env: { PETER_SSLERS_WROKERS: '1', OTHER: 'x' } }).warnings).to.deep.equal([
      'PETER_SSLERS_WROKERS in the environment is no flag and was ignored: did you mean PETER_SSLERS_WORKERS?',
    ]);
  });

  it('reads JSON, indented with tabs too', () => {
    const json = '{\n\t"workers": 5,\n\t"enable-autocert": false,\n\t"listen": ["127.0.0.1:1"]\n}\n';
    const { settings } = load({ flags: { config: '/c.json' }, files: { '/c.json': json } });
    expect([settings.workers, settings.listen]).to.deep.equal([5, [{ host: '127.0.0.1', port: 1 }]]);
  });

  it('takes {} for a configuration file without settings', () => {
    for (const text of ['{}', '# nothing yet\n{}\n', '---\n{}\n']) {
      expect(load({ flags: { config: '/c' }, files: { '/c': text } }).settings.workers).to.equal(3);
    }
  });

  // What a writer that was interrupted leaves behind must not set every flag to its default.
  for (const text of [
    '',
    '\n  \n',
    '\uFEFF',
    '# workers: 2\n',
    'null',
    '~\n',
    '---\n',
    '---\n# none\n...\n',
  ]) {
    it(`refuses a configuration file without any: ${JSON.stringify(text)}`, () => {
      expect(problemOf({ flags: { config: '/c.yaml' }, files: { '/c.yaml': text } })).to.equal(
        '/c.yaml: the file is empty: write {} into it if no flag is to be set',
      );
    });
  }

  const configErrors: [text: string, message: string][] = [
    ['workers: 2\nworkres: 3\n', '/c.yaml:2:1: unknown key "workres": did you mean workers?'],
    ['workers: 2\nx: [\nlisten: a', '/c.yaml:3:1: this is neither YAML nor JSON (bad indent)'],
    ['cert-dir: a\ncert_dir: b\n', '/c.yaml:2:1: cert-dir is set a second time'],
    ['cert-dir: a\ncert-dir: b\n', '/c.yaml:2:1: this is neither YAML nor JSON (duplicate key)'],
    ['- workers\n', '/c.yaml: the file must be a map of flags, such as "workers: 2"'],
    [
      'log-level: info\n---\nworkers: 2\n',
      '/c.yaml:2:1: a second YAML document begins here, and a file is one map of flags',
    ],
    ['workers: 2\n---\n', '/c.yaml:2:1: a second YAML document begins here, and a file is one map of flags'],
    ['log-level: info\nworkers: !two 2\n', '/c.yaml:2:10: this has no meaning here (tag resolve failed)'],
    ['%BETTER 1\n---\nworkers: 2\n', '/c.yaml:1:1: this has no meaning here (bad directive)'],
    ['workers: [1, 2]\n', '/c.yaml:1:1: workers takes one value, not a list'],
    ['workers:\n', '/c.yaml:1:1: workers needs a value: text, a number, true or false'],
    ['admin-host: [{a: 1}]\n', '/c.yaml:1:1: admin-host needs a value: text, a number, true or false'],
    ['config: b.yaml\n', '/c.yaml:1:1: config cannot be set in a configuration file'],
    ['log-level: info\nworkers: many\n', `/c.yaml:2:1: workers ${WORKERS} "many"`],
  ];
  for (const [text, message] of configErrors) {
    it(`says of a configuration file: ${message}`, () => {
      expect(problemOf({ flags: { config: '/c.yaml' }, files: { '/c.yaml': text } })).to.equal(message);
    });
  }
});

describe('loadSettings: switches', () => {
  const cases: [text: string, value: boolean][] = [
    ['true', true],
    ['1', true],
    ['yes', true],
    ['on', true],
    ['True', true],
    ['false', false],
    ['0', false],
    ['no', false],
    ['off', false],
    ['NO', false],
  ];
  for (const [text, value] of cases) {
    it(`reads ${text} as ${value}`, () => {
      expect(load({ flags: { wildcards: text } }).settings.wildcards).to.equal(value);
      expect(load({ env: { PETER_SSLERS_WILDCARDS: text } }).settings.wildcards).to.equal(value);
      const file = { flags: { config: '/c' }, files: { '/c': `wildcards: ${text}` } };
      expect(load(file).settings.wildcards).to.equal(value);
    });
  }

  it('takes --enable-autocert=false for off, unlike the OpenResty plugin', () => {
    const { settings } = load({ flags: { 'fallback-server': MANAGER, 'enable-autocert': 'false' } });
    expect(settings.manager).to.not.have.property('autocert');
  });
});

describe('loadSettings: sources', () => {
  const cases: [title: string, flags: Given['flags'], sources: string[], ca: string | undefined][] = [
    ['the internal CA alone, when nothing else is configured', {}, ['ca'], '/work-dir/.peter-sslers/ca'],
    ['no internal CA beside another source', { 'cert-dir': 'certs' }, ['directory'], undefined],
    [
      'the internal CA last, when asked for',
      { 'cert-dir': 'certs', 'internal-ca': 'mine' },
      ['directory', 'ca'],
      '/work-dir/mine',
    ],
    ['the CA below another state directory', { 'state-dir': '/var/s' }, ['ca'], '/var/s/ca'],
    [
      'the order that is asked for, and nothing that is not in it',
      { 'cert-dir': 'c', 'redis-strategy': '2', 'fallback-server': MANAGER, sources: 'manager,redis' },
      ['manager', 'redis'],
      undefined,
    ],
  ];
  for (const [title, flags = {}, sources, ca] of cases) {
    it(`asks ${title}`, () => {
      const { settings } = load({ flags });
      expect(settings.sources).to.deep.equal(sources);
      expect(settings.internalCa?.dir).to.equal(ca);
    });
  }

  it('warns of orders that anybody may cause, unless they are bounded by names or by asking', () => {
    const flags = { 'fallback-server': 'http://m.test/p', 'enable-autocert': 'true' };
    expect(load({ flags }).warnings).to.deep.equal([
      '--enable-autocert orders a certificate for every name that anybody asks for: bound it with --autocert-allow or --autocert-ask',
    ]);
    expect(load({ flags: { ...flags, 'autocert-allow': '*.a.test' } }).warnings).to.deep.equal([]);
    expect(load({ flags: { ...flags, 'autocert-ask': 'http://ask.test/' } }).warnings).to.deep.equal([]);
    expect(load({ flags: { 'fallback-server': 'http://m.test/p' } }).warnings).to.deep.equal([]);
  });

  it('warns of a source that is named and not configured', () => {
    expect(load({ flags: { 'cert-dir': 'c', sources: 'redis,directory' } }).warnings).to.deep.equal([
      '--sources names redis, which is not configured and is left out',
    ]);
  });
});

describe('loadSettings: flags without effect', () => {
  it('warns of them', () => {
    const files = { '/cred': 'u:p\n' };
    const flags = {
      'redis-url': 'redis://h',
      'fallback-credentials': '/cred',
      backend: 'http://h',
      'send-proxy-protocol': 'v2',
      'access-log-format': 'json',
      'access-log-field': 'id',
    };
    expect(load({ flags, files }).warnings).to.deep.equal([
      '--redis-url has no effect without --redis-strategy 1 or 2',
      '--fallback-credentials has no effect without --fallback-server',
      '--send-proxy-protocol has no effect without a tcp backend',
      '--access-log-format has no effect without --access-log',
      '--access-log-field has no effect without --access-log and --access-log-format json',
    ]);
  });
});

describe('loadSettings: mistakes', () => {
  const REDIS = '--redis-url must be redis://host:port/database, rediss:// or unix:///path?db=9';
  const ZERO = 'must be above 0: the 0 that once meant "for ever" is not accepted, not';
  const SECONDS =
    'must be a duration from 0.001 to 2147483 seconds, such as 90 (seconds), 500ms, 10m, 1h30m or 2d, not';
  const autocert = { 'fallback-server': MANAGER, 'enable-autocert': 'true' };
  const cases: [given: Given, message: string][] = [
    [{ flags: { bogus: '1' } }, 'unknown flag --bogus'],
    [{ flags: { workers: ['1', '2'] } }, '--workers may be given once only'],
    [{ flags: { workers: '1', 'log-level': ['info', 'info'] } }, '--log-level may be given once only'],
    [{ flags: { workers: '' } }, '--workers needs a value'],
    [{ flags: { sources: 'redis,,ca' } }, '--sources needs a value'],
    [{ flags: { workers: '25' } }, `--workers ${WORKERS} "25"`],
    [{ flags: { workers: '1000' } }, `--workers ${WORKERS} "1000"`],
    [{ flags: { workers: '0' } }, `--workers ${WORKERS} "0"`],
    [{ flags: { workers: '1.5' } }, `--workers ${WORKERS} "1.5"`],
    [{ flags: { workers: '-1' } }, `--workers ${WORKERS} "-1"`],
    [{ env: { PETER_SSLERS_WORKERS: '0x2' } }, `PETER_SSLERS_WORKERS ${WORKERS} "0x2"`],
    [{ flags: { 'cert-cache-duration': '0' } }, `--cert-cache-duration ${ZERO} "0"`],
    [{ flags: { 'lookup-timeout': '0.0' } }, `--lookup-timeout ${ZERO} "0.0"`],
    [{ flags: { 'lookup-timeout': '-1' } }, `--lookup-timeout ${SECONDS} "-1"`],
    [{ flags: { 'lookup-timeout': '5S' } }, `--lookup-timeout ${SECONDS} "5S"`],
    [{ flags: { 'lookup-timeout': '0.0001' } }, `--lookup-timeout ${SECONDS} "0.0001"`],
    [{ flags: { 'lookup-timeout': '2147484' } }, `--lookup-timeout ${SECONDS} "2147484"`],
    [{ flags: { 'lookup-timeout': 'Infinity' } }, `--lookup-timeout ${SECONDS} "Infinity"`],
    [{ flags: { 'miss-rate': '0' } }, '--miss-rate must be a number above 0 and up to 1000000, not "0"'],
    [
      { flags: { 'cert-cache-size': '12' } },
      '--cert-cache-size must be a size of at least 1 KiB, such as 256M or 256 MiB, not "12"',
    ],
    [
      { env: { PETER_SSLERS_MAX_HEADER_SIZE: '2M' } },
      'PETER_SSLERS_MAX_HEADER_SIZE must be a size from 1 KiB to 1 MiB, such as 16K or 16 KiB, not "2M"',
    ],
    [{ flags: { wildcards: 'maybe' } }, '--wildcards must be true or false, not "maybe"'],
    [{ flags: { 'enable-autocert': 'nil' } }, '--enable-autocert must be true or false, not "nil"'],
    [{ flags: { 'log-level': 'loud' } }, '--log-level must be one of err, notice, info, debug, not "loud"'],
    [{ flags: { 'log-format': 'xml' } }, '--log-format must be one of text, json, not "xml"'],
    [{ flags: { 'redis-url': 'http://secret@h' } }, REDIS],
    [{ flags: { 'redis-url': 'redis:///9' } }, REDIS],
    [{ flags: { 'redis-url': 'unix://host/x' } }, REDIS],
    [{ flags: { 'redis-url': 'redis://h/nine' } }, '--redis-url must name the database by its number'],
    [{ flags: { 'fallback-server': 'manager' } }, '--fallback-server must be an http:// or https:// URL'],
    [
      { flags: { 'fallback-server': 'https://u:secret@h/x?y' } },
      '--fallback-server must have no query and no fragment',
    ],
    [
      { flags: { 'fallback-server': 'https://h/x#y' } },
      '--fallback-server must have no query and no fragment',
    ],
    [
      { flags: { 'fallback-server': 'https://u:%zz@h' } },
      '--fallback-server holds a user name or password that is not percent-encoded rightly',
    ],
    [{ flags: { 'enable-autocert': 'true' } }, '--enable-autocert needs --fallback-server'],
    [{ env: { PETER_SSLERS_ENABLE_AUTOCERT: '1' } }, 'PETER_SSLERS_ENABLE_AUTOCERT needs --fallback-server'],
    [
      { flags: { ...autocert, 'autocert-allow': '.example.com' } },
      '--autocert-allow must be example.com, *.example.com (every name below) or *, not ".example.com"',
    ],
    [
      { flags: { ...autocert, 'autocert-ask': 'ask' } },
      '--autocert-ask must be an http:// or https:// URL, not "ask"',
    ],
    [
      { flags: { 'cert-preferences': 'latest' } },
      `--cert-preferences must be one of ${CERT_PREFERENCES.join(', ')}, not "latest"`,
    ],
    [
      { flags: { sources: 'redis,vault' } },
      '--sources must be one of directory, redis, manager, ca, not "vault"',
    ],
    [
      { flags: { 'cert-dir': 'c', sources: 'redis' } },
      '--sources names no source that is configured, which are: directory',
    ],
    [
      { flags: { 'admin-prefix': '/' } },
      '--admin-prefix must be a path such as /.peter_sslers, of letters, digits and . _ ~ -, not "/"',
    ],
    [
      { flags: { 'admin-prefix': '/a/../b' } },
      '--admin-prefix must be a path such as /.peter_sslers, of letters, digits and . _ ~ -, not "/a/../b"',
    ],
    [
      { flags: { 'admin-host': 'a.example:443' } },
      '--admin-host must be a host name or an IP address, without a port, not "a.example:443"',
    ],
  ];
  for (const [given, message] of cases) {
    it(`says: ${message}`, () => {
      expect(problemOf(given)).to.equal(message);
    });
  }

  it('quotes a long value short, and line ends escaped', () => {
    const message = problemOf({ flags: { 'log-level': `a\n${'b'.repeat(500)}` } });
    expect(message)
      .to.have.length.below(160)
      .and.match(/not "a\\nb+…"$/);
  });
});
