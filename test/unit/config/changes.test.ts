import { expect } from 'chai';
import { describeChanges } from '../../../lib/config/changes.js';
import { flag, FLAG_NAMES } from '../../../lib/config/flags.js';
import { load, type Given } from './stage.js';

const MANAGER = { 'fallback-server': 'http://m', 'enable-autocert': 'true' };

describe('describeChanges', () => {
  const cases: [
    title: string,
    before: Given['flags'],
    after: Given['flags'],
    changed: string[],
    restart: string[],
  ][] = [
    ['nothing', { workers: '2' }, { workers: '2' }, [], []],
    ['a plain value', {}, { 'lru-maxitems': '9' }, ['lru-maxitems'], []],
    ['a listen address', {}, { listen: '127.0.0.1:1' }, ['listen'], ['listen']],
    ['a plain HTTP address', {}, { 'http-listen': 'unix:/h' }, ['http-listen'], ['http-listen']],
    [
      'the servers for challenges, their order too',
      { 'challenge-server': ['http://a', 'http://b'] },
      { 'challenge-server': ['http://b', 'http://a'] },
      ['challenge-server'],
      [],
    ],
    ['a backend', { backend: 'http://a' }, { backend: 'a.example=http://a' }, ['backend'], []],
    [
      'what requests are told and asked',
      {},
      { via: 'true', 'forward-tls-info': 'true', hsts: 'max-age=1', 'trusted-proxies': '::1' },
      ['trusted-proxies', 'via', 'forward-tls-info', 'hsts'],
      [],
    ],
    [
      'the PROXY protocol and unknown names',
      { backend: 'tcp://h:1' },
      {
        backend: 'tcp://h:1',
        'accept-proxy-protocol': '10.0.0.0/8',
        'send-proxy-protocol': 'v1',
        'unknown-name': '421',
      },
      ['accept-proxy-protocol', 'send-proxy-protocol', 'unknown-name'],
      [],
    ],
    ['an access log that is switched on', {}, { 'access-log': '-' }, ['access-log'], []],
    [
      'an access log that goes elsewhere and looks different',
      { 'access-log': '-' },
      { 'access-log': '/a', 'access-log-format': 'json' },
      ['access-log', 'access-log-format'],
      [],
    ],
    [
      'other fields in the lines of an access log',
      { 'access-log': '-', 'access-log-format': 'json' },
      { 'access-log': '-', 'access-log-format': 'json', 'access-log-field': 'id' },
      ['access-log-field'],
      [],
    ],
    [
      'no format of an access log that is switched off',
      { 'access-log': '-', 'access-log-format': 'json' },
      {},
      ['access-log'],
      [],
    ],
    [
      'the process files',
      { 'internal-ca': '/ca' },
      { 'internal-ca': '/ca', 'state-dir': '/s', 'pid-file': '/p' },
      ['state-dir', 'pid-file'],
      ['state-dir', 'pid-file'],
    ],
    ['a log file', {}, { 'log-file': '/l', 'log-level': 'debug' }, ['log-level', 'log-file'], []],
    [
      'a source that is switched on, but not its defaults',
      { 'cert-dir': 'c' },
      { 'cert-dir': 'c', 'fallback-server': 'http://m' },
      ['fallback-server', 'sources'],
      [],
    ],
    [
      'autocert that is switched off, but not its defaults',
      MANAGER,
      { 'fallback-server': 'http://m' },
      ['enable-autocert'],
      [],
    ],
    [
      'the details of autocert',
      MANAGER,
      { ...MANAGER, 'autocert-allow': 'a.example', 'autocert-timeout': '9' },
      ['autocert-allow', 'autocert-timeout'],
      [],
    ],
    [
      'a password, by the name of the flag only',
      { 'redis-strategy': '1', 'redis-url': 'redis://:old@h', 'fallback-server': 'http://u:old@m' },
      { 'redis-strategy': '1', 'redis-url': 'redis://:new@h', 'fallback-server': 'http://u:new@m' },
      ['redis-url', 'fallback-credentials'],
      [],
    ],
  ];
  for (const [title, before = {}, after = {}, changed, needRestart] of cases) {
    it(`names ${title}`, () => {
      const changes = describeChanges(load({ flags: before }).settings, load({ flags: after }).settings);
      expect(changes).to.deep.equal({ changed, needRestart });
    });
  }

  it('notices a file whose contents changed under the same name', () => {
    const flags = { 'admin-user-file': '/h' };
    const before = load({ flags, files: { '/h': 'a:b' } }).settings;
    const after = load({ flags, files: { '/h': 'a:c' } }).settings;
    expect(describeChanges(before, after).changed).to.deep.equal(['admin-user-file']);
  });

  it('notices every flag that has a number, a duration or a choice', () => {
    const base = { ...MANAGER, 'redis-strategy': '1' };
    const others: Readonly<Record<string, string>> = {
      'redis-strategy': '2',
      'log-level': 'debug',
      'log-format': 'json',
      workers: '9',
      'autocert-concurrency': '9',
    };
    const { settings: before } = load({ flags: base });
    for (const name of FLAG_NAMES) {
      const isNumber = ['integer', 'number', 'seconds', 'bytes'].includes(flag(name).kind);
      const value = others[name] ?? (isNumber ? '2000' : undefined);
      if (value === undefined) continue;
      const { settings: after } = load({ flags: { ...base, [name]: value } });
      expect(describeChanges(before, after).changed, name).to.deep.equal([name]);
    }
  });
});
