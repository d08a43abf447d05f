import { expect } from 'chai';
import { describeRedisUrl, parseRedisUrl } from '../../../../lib/sources/redis/url.js';

describe('a Redis URL', () => {
  const parsed: { url: string; expected: object; shown: string }[] = [
    {
      url: 'redis://127.0.0.1:6379/9',
      expected: { host: '127.0.0.1', port: 6379, db: 9 },
      shown: 'redis://127.0.0.1:6379/9',
    },
    {
      url: 'redis://me:s%40cret@[::1]/2',
      expected: { host: '::1', port: 6379, db: 2, username: 'me', password: 's@cret' },
      shown: 'redis://me@[::1]:6379/2',
    },
    {
      url: 'rediss://:secret@redis.test',
      expected: { host: 'redis.test', port: 6379, db: 9, password: 'secret', tls: {} },
      shown: 'rediss://redis.test:6379/9',
    },
    {
      url: 'unix:///run/my%20redis.sock?db=3&password=secret',
      expected: { path: '/run/my redis.sock', db: 3, password: 'secret' },
      shown: 'unix:///run/my redis.sock?db=3',
    },
    {
      url: '/run/redis.sock',
      expected: { path: '/run/redis.sock', db: 9 },
      shown: 'unix:///run/redis.sock?db=9',
    },
  ];
  for (const { url, expected, shown } of parsed) {
    it(`understands ${url} and shows it as ${shown}`, () => {
      expect(parseRedisUrl(url)).to.deep.equal(expected);
      expect(describeRedisUrl(url)).to.equal(shown);
    });
  }

  for (const url of [
    '',
    'http://x:secret@y',
    'redis://:secret@host/nine',
    'unix://',
    'redis://:se%zzcret@x',
    '127.0.0.1:6379',
  ]) {
    it(`refuses "${url}" in one sentence that does not repeat it`, () => {
      expect(() => parseRedisUrl(url))
        .to.throw(/^the Redis URL .*; expected redis:/)
        .with.property('code', 'ERR_USAGE');
      expect(() => parseRedisUrl(url)).not.to.throw(/secret|cret@/);
    });
  }
});
