import { expect } from 'chai';
import { ACCESS_LOG_FIELD_NAMES } from '../../../lib/config/access-log-fields.js';
import type { Settings } from '../../../lib/config/settings.js';
import { load, problemOf } from './stage.js';
import { serverAt } from '../../support/servers.js';

const http = (origin: string, h2 = false) => serverAt(origin, { h2 });

describe('--backend', () => {
  const backends: [text: string, backend: unknown][] = [
    ['http://127.0.0.1:8080', http('http://127.0.0.1:8080')],
    ['HTTP://App.internal:80/', http('http://app.internal')],
    ['https://App.internal:443/', http('https://app.internal')],
    ['http://[::1]:1', http('http://[::1]:1')],
    ['h2://app.internal:8443', http('https://app.internal:8443', true)],
    ['h2://app.internal', http('https://app.internal', true)],
    ['h2c://127.0.0.1:50051', http('http://127.0.0.1:50051', true)],
    ['H2C://App.internal', http('http://app.internal', true)],
    ['unix:/run/a.sock', serverAt('http://localhost', { socketPath: '/run/a.sock' })],
    ['unix:///run/a=b.sock', serverAt('http://localhost', { socketPath: '/run/a=b.sock' })],
    ['tcp://mail.internal:143', { kind: 'tcp', address: { host: 'mail.internal', port: 143 } }],
    ['tcp://Mail.internal:80/', { kind: 'tcp', address: { host: 'mail.internal', port: 80 } }],
    ['tcp://[FD00::1]:25', { kind: 'tcp', address: { host: 'fd00::1', port: 25 } }],
    ['tcp+unix:/run/m.sock', { kind: 'tcp', address: { socketPath: '/run/m.sock' } }],
    ['tcp+unix:///run/m.sock', { kind: 'tcp', address: { socketPath: '/run/m.sock' } }],
  ];
  for (const [text, backend] of backends) {
    it(`reads ${text} as the default route`, () => {
      expect(load({ flags: { backend: text } }).settings.routes).to.deep.equal([{ backends: [backend] }]);
    });

    it(`reads ${text} behind a name`, () => {
      const { settings } = load({ flags: { backend: `a.example=${text}` } });
      expect(settings.routes).to.deep.equal([{ pattern: 'a.example', backends: [backend] }]);
    });
  }

  it('gives each name its route, in the order of the flags, and balances what has the same name', () => {
    const { settings } = load({
      flags: {
        backend: [
          'WWW.Example.com.=http://a',
          '*.Example.com=h2c://b,*.example.com=http://c',
          'http://d',
          'www.example.com=http://e',
          'unix:/f',
          'mail.example = tcp://g:1',
        ],
      },
    });
    expect(settings.routes).to.deep.equal([
      { pattern: 'www.example.com', backends: [http('http://a'), http('http://e')] },
      { pattern: '*.example.com', backends: [http('http://b', true), http('http://c')] },
      { backends: [http('http://d'), serverAt('http://localhost', { socketPath: '/f' })] },
      { pattern: 'mail.example', backends: [{ kind: 'tcp', address: { host: 'g', port: 1 } }] },
    ]);
  });

  const ANY = 'must be http://, https://, h2://, h2c://, unix:/path, tcp://host:port or tcp+unix:/path';
  const NAME = 'must have a host name or *.suffix before the "="';
  const TCP = 'must be tcp://host:port, with nothing after the port';
  const wrong: [text: string, clause: string][] = [
    ['ftp://h', ANY],
    ['h:80', ANY],
    ['http:h', ANY],
    ['http:///h', ANY],
    ['http://h:0', ANY],
    ['http://h:65536', ANY],
    ['h2c:h', ANY],
    ['unix:relative', ANY],
    ['unix://host/path', ANY],
    ['tcp:unix:/path', ANY],
    ['a.example=', ANY],
    ['a.example=b.example=http://h', ANY],
    ['=http://h', NAME],
    ['*=http://h', NAME],
    ['*.=http://h', NAME],
    ['a.*.example=http://h', NAME],
    ['*a.example=http://h', NAME],
    ['10.0.0.1=http://h', NAME],
    ['a b=http://h', NAME],
    ['http://u:p@h', 'must hold no user name and password'],
    ['h2://u@h', 'must hold no user name and password'],
    ['http://h/path', 'must end after the host and port'],
    ['https://h?', 'must end after the host and port'],
    ['h2c://h#', 'must end after the host and port'],
    ['tcp://h', TCP],
    ['tcp://h:0', TCP],
    ['tcp://h:65536', TCP],
    ['tcp://h:1/path', TCP],
    ['tcp://u@h:1', TCP],
    ['tcp://[::1:1', TCP],
    ['tcp://::1:1', TCP],
  ];
  for (const [text, clause] of wrong) {
    it(`refuses ${text}`, () => {
      expect(problemOf({ flags: { backend: text } })).to.equal(`--backend ${clause}, not "${text}"`);
    });
  }

  const mixed: [values: string[], route: string][] = [
    [['http://a', 'tcp://b:1'], 'the default route'],
    [['*.a.example=tcp+unix:/b', 'http://a', '*.A.example=h2://c'], 'the route of *.a.example'],
  ];
  for (const [values, route] of mixed) {
    it(`refuses tcp and HTTP together in ${route}`, () => {
      expect(problemOf({ flags: { backend: values } })).to.equal(
        `--backend has tcp and HTTP backends in ${route}: all of one route must be of one kind`,
      );
    });
  }

  it('takes a list in the configuration file, and names the place of a mistake', () => {
    const files = {
      '/c': 'workers: 1\nbackend:\n  - http://a\n  - a.example=http://b\n',
      '/d': 'backend: x',
    };
    expect(load({ flags: { config: '/c' }, files }).settings.routes).to.have.length(2);
    expect(problemOf({ flags: { config: '/d' }, files })).to.equal(`/d:1:1: backend ${ANY}, not "x"`);
  });
});

for (const name of ['accept-proxy-protocol', 'trusted-proxies'] as const) {
  const read = (text: string | string[]): readonly string[] => {
    const { settings } = load({ flags: { [name]: text } });
    return name === 'trusted-proxies' ? settings.headers.trustedProxies : settings.acceptProxyProtocol;
  };

  describe(`--${name}`, () => {
    const ranges: [text: string, range: string][] = [
      ['192.0.2.1', '192.0.2.1'],
      ['10.0.0.0/8', '10.0.0.0/8'],
      ['0.0.0.0/0', '0.0.0.0/0'],
      ['FD00::/8', 'fd00::/8'],
      ['::1', '::1'],
      ['::/0', '::/0'],
      ['::ffff:10.0.0.0/104', '10.0.0.0/8'],
      ['::FFFF:10.0.0.1', '10.0.0.1'],
      ['::ffff:0.0.0.0/90', '::ffff:0.0.0.0/90'],
    ];
    for (const [text, range] of ranges) {
      it(`reads ${text} as ${range}`, () => {
        expect(read(text)).to.deep.equal([range]);
      });
    }

    it('takes several, and each once', () => {
      expect(read(['10.0.0.0/8,::1', '10.0.0.0/8'])).to.deep.equal(['10.0.0.0/8', '::1']);
    });

    for (const text of [
      '10.0.0.0/33',
      '::/129',
      '10.0.0.0/',
      '10.0.0.0/-1',
      '10.0.0/8',
      'proxy.internal',
      '[::1]',
      'fe80::1%eth0',
      '10.0.0.0/8/8',
      '*',
    ]) {
      it(`refuses ${text}`, () => {
        expect(problemOf({ flags: { [name]: text } })).to.equal(
          `--${name} must be an IP address or a range of them, such as 10.0.0.0/8 or fd00::/8, not "${text}"`,
        );
      });
    }
  });
}

describe('flags about requests', () => {
  const read: [
    flags: Record<string, string | string[]>,
    pick: (settings: Settings) => unknown,
    value: unknown,
  ][] = [
    [{ 'unknown-name': '421' }, (s) => s.unknownName, '421'],
    [{ 'unknown-name': 'reject' }, (s) => s.unknownName, 'reject'],
    [{ 'http2-engine': 'node' }, (s) => s.http2Engine, 'node'],
    [{ backend: 'tcp://h:1', 'send-proxy-protocol': 'v1' }, (s) => s.sendProxyProtocol, 'v1'],
    [{ 'send-proxy-protocol': 'v2' }, (s) => s.sendProxyProtocol, 'v2'],
    [{ via: 'true' }, (s) => s.headers.via, true],
    [{ 'forward-tls-info': '1' }, (s) => s.headers.forwardTlsInfo, true],
    [
      { hsts: 'max-age=31536000; includeSubDomains' },
      (s) => s.headers.hsts,
      'max-age=31536000; includeSubDomains',
    ],
    [{ hsts: 'preload;Max-Age="0"' }, (s) => s.headers.hsts, 'preload;Max-Age="0"'],
    [{ 'access-log': '-' }, (s) => s.accessLog, { format: 'common' }],
    [
      { 'access-log': 'log/a,b', 'access-log-format': 'json' },
      (s) => s.accessLog,
      { file: '/work-dir/log/a,b', format: 'json' },
    ],
    [{ 'access-log': '-', 'access-log-format': 'combined' }, (s) => s.accessLog, { format: 'combined' }],
    [
      {
        'access-log': '-',
        'access-log-format': 'json',
        'access-log-field': ['status', 'id,cipher', 'status'],
      },
      (s) => s.accessLog,
      { format: 'json', fields: ['status', 'id', 'cipher'] },
    ],
    [{ 'max-header-size': '64 KiB' }, (s) => s.limits.maxHeaderBytes, 65_536],
    [{ 'header-timeout': '1' }, (s) => s.limits.headerTimeoutMs, 1000],
    [{ 'idle-timeout': '2' }, (s) => s.limits.idleTimeoutMs, 2000],
    [{ 'body-timeout': '.5' }, (s) => s.limits.bodyTimeoutMs, 500],
    [{ 'backend-connect-timeout': '3' }, (s) => s.limits.backendConnectTimeoutMs, 3000],
    [{ 'backend-headers-timeout': '4' }, (s) => s.limits.backendHeadersTimeoutMs, 4000],
    [{ 'backend-body-timeout': '86400' }, (s) => s.limits.backendBodyTimeoutMs, 86_400_000],
    [{ 'tcp-idle-timeout': '28800' }, (s) => s.limits.tcpIdleTimeoutMs, 28_800_000],
    [{ 'backend-restart-wait': '0' }, (s) => s.limits.backendRestartWaitMs, 0],
    [{ 'max-connections': '1' }, (s) => s.limits.maxConnections, 1],
    [{ 'max-connections-per-client': '7' }, (s) => s.limits.maxConnectionsPerClient, 7],
  ];
  for (const [flags, pick, value] of read) {
    it(`reads ${JSON.stringify(flags)}`, () => {
      expect(pick(load({ flags }).settings)).to.deep.equal(value);
    });
  }

  const SIZE = 'must be a size from 1 KiB to 1 MiB, such as 16K or 16 KiB, not';
  const HSTS = 'must have a max-age, such as "max-age=31536000; includeSubDomains", not';
  const ZERO = 'must be above 0: the 0 that once meant "for ever" is not accepted, not "0"';
  const wrong: [name: string, text: string, clause: string][] = [
    ['unknown-name', 'drop', 'must be one of serve, 421, reject, not "drop"'],
    ['send-proxy-protocol', '2', 'must be one of v1, v2, not "2"'],
    ['access-log-format', 'apache', 'must be one of common, combined, json, not "apache"'],
    ['access-log-field', 'Status', `must be one of ${ACCESS_LOG_FIELD_NAMES.join(', ')}, not "Status"`],
    ['via', '2', 'must be true or false, not "2"'],
    ['hsts', 'includeSubDomains', `${HSTS} "includeSubDomains"`],
    ['hsts', 'max-age=', `${HSTS} "max-age="`],
    ['hsts', 'max-age=1\r\nX: y', 'must be plain text without control characters, not "max-age=1\\r\\nX: y"'],
    ['hsts', 'max-age=1; é', 'must be plain text without control characters, not "max-age=1; é"'],
    ['max-header-size', '1023', `${SIZE} "1023"`],
    ['max-header-size', '2 MiB', `${SIZE} "2 MiB"`],
    ['max-connections', '0', 'must be a whole number from 1 to 10000000, not "0"'],
    ['max-connections-per-client', '-1', 'must be a whole number from 1 to 10000000, not "-1"'],
    ['header-timeout', '0', ZERO],
    ['idle-timeout', '0', ZERO],
    ['body-timeout', '0', ZERO],
    ['backend-connect-timeout', '0', ZERO],
    ['backend-headers-timeout', '0', ZERO],
    ['backend-body-timeout', '0', ZERO],
    ['tcp-idle-timeout', '0', ZERO],
  ];
  for (const [name, text, clause] of wrong) {
    it(`refuses --${name} ${JSON.stringify(text)}`, () => {
      expect(problemOf({ flags: { [name]: text } })).to.equal(`--${name} ${clause}`);
    });
  }
});
