import { expect } from 'chai';
import { load } from './stage.js';

/** What a flag's text becomes. */
const accepted: [flags: Record<string, string | string[]>, pick: string, value: unknown][] = [
  [{ 'redis-url': 'redis://h' }, 'redis.url', 'redis://h/9'],
  [{ 'redis-url': 'redis://h:1/' }, 'redis.url', 'redis://h:1/9'],
  [{ 'redis-url': 'redis://:p%40@h/0' }, 'redis.url', 'redis://:p%40@h/0'],
  [{ 'redis-url': 'rediss://u:p@h:6380/12' }, 'redis.url', 'rediss://u:p@h:6380/12'],
  [{ 'redis-url': 'unix:///run/r.sock' }, 'redis.url', 'unix:///run/r.sock?db=9'],
  [{ 'redis-url': 'unix:/run/r.sock?db=3' }, 'redis.url', 'unix:///run/r.sock?db=3'],
  [{ 'fallback-server': 'http://m:1/p/q//' }, 'manager.root', 'http://m:1/p/q'],
  [{ 'fallback-server': 'http://m' }, 'manager.root', 'http://m'],
  [{ 'fallback-server': 'https://u:p%3A%40@m/p' }, 'manager.root', 'https://m/p'],
  [{ 'fallback-server': 'https://u:p%3A%40@m/p' }, 'manager.credentials', 'u:p:@'],
  [
    { 'autocert-allow': ['Example.com', '*.B.example,*'] },
    'manager.autocert.allow',
    ['example.com', '*.b.example', '*'],
  ],
  [{ 'autocert-ask': 'http://127.0.0.1/ask?k=1' }, 'manager.autocert.askUrl', 'http://127.0.0.1/ask?k=1'],
  [
    { 'cert-preferences': 'server_certificate__latest_single,x509_certificate__latest_multi' },
    'manager.preferences',
    ['server_certificate__latest_single', 'x509_certificate__latest_multi'],
  ],
  [{ 'miss-rate': '0.5' }, 'manager.missRate', 0.5],
  [{ 'autocert-timeout': '.25' }, 'manager.autocert.timeoutMs', 250],
  [{ 'cert-cache-size': '1024' }, 'certCacheSizeBytes', 1024],
  [{ 'cert-cache-size': '1.5gib' }, 'certCacheSizeBytes', 1_610_612_736],
  [{ 'cert-cache-size': '64 KiB' }, 'certCacheSizeBytes', 65_536],
  [{ 'lookup-timeout': '0.001' }, 'lookupTimeoutMs', 1],
  [{ 'lookup-timeout': '1.2345' }, 'lookupTimeoutMs', 1235],
  [{ 'internal-ca-allow': '*.Test' }, 'internalCa.allow', ['*.test']],
  [{ 'admin-prefix': '/ops/tls/' }, 'admin.prefix', '/ops/tls'],
  [{ 'admin-host': ['A.example.', '[::1]', '10.0.0.1'] }, 'admin.hosts', ['a.example', '::1', '10.0.0.1']],
  [{ 'pid-file': 'run/p.pid' }, 'pidFile', '/work-dir/run/p.pid'],
  [{ 'log-file': '/var/log/p.log' }, 'log.file', '/var/log/p.log'],
  [{ 'cert-dir': 'a,b' }, 'certDir', '/work-dir/a,b'],
];

describe('values of flags', () => {
  for (const [flags, path, value] of accepted) {
    const [[name, text] = ['', '']] = Object.entries(flags);
    it(`reads --${name} ${String(text)} as ${JSON.stringify(value)}`, () => {
      // What a flag of Redis, the manager or the internal CA needs to have an effect.
      const switches = {
        ...(path.startsWith('redis') && { 'redis-strategy': '2' }),
        ...(path.startsWith('manager') && { 'fallback-server': 'http://m', 'enable-autocert': 'true' }),
      };
      const { settings } = load({ flags: { ...switches, ...flags } });
      const picked = path
        .split('.')
        .reduce<unknown>((from, key) => (from as Record<string, unknown>)[key], settings);
      expect(picked).to.deep.equal(value);
    });
  }
});
