import { expect } from 'chai';
import { readHost } from '../../../lib/domain/host.js';
import { readTarget } from '../../../lib/domain/request-target.js';
import { decidePlainHttp } from '../../../lib/proxy/plain-http.js';

const CHALLENGES = '/.well-known/acme-challenge/';
const WHOAMI = '/.well-known/public/whoami';

const decide = (host: string | undefined, path: string) => {
  const target = readTarget(path);
  if (target === undefined) throw new Error(`${path} is no target`);
  return decidePlainHttp({ host: host === undefined ? undefined : readHost(host), target });
};

describe('A request on plain HTTP', () => {
  for (const token of ['abc', 'A-Z_09', 'abc?x=1', 'a'.repeat(500)]) {
    it(`is a challenge for ${token.slice(0, 20)}`, () => {
      expect(decide('a.test:80', CHALLENGES + token)).to.deep.equal({
        kind: 'challenge',
      });
    });
  }

  for (const rest of [
    '',
    '?x',
    '.',
    '..',
    'a/',
    'a/b',
    'a.b',
    'a%2f',
    'a\\b',
    '/a',
    'a;b',
    'a#b',
    'a b',
    'ä',
    'a\n',
  ]) {
    it(`is no challenge for ${JSON.stringify(rest)}`, () => {
      expect(decide('a.test', CHALLENGES + rest)?.kind).to.equal('redirect');
    });
  }

  const locations: [host: string, path: string, location: string][] = [
    ['a.test', '/', 'https://a.test/'],
    ['A.Test.', '/X?y=Z', 'https://a.test/X?y=Z'],
    ['a.test:8080', '//evil.test/', 'https://a.test//evil.test/'],
    ['a.test', '/%0d%0aSet-Cookie:%20a', 'https://a.test/%0d%0aSet-Cookie:%20a'],
    ['a.test', '/\\evil"<>\r\n\0', 'https://a.test/%5Cevil%22%3C%3E%0D%0A%00'],
    ['a.test', '/\xc3\xa4', 'https://a.test/%C3%A4'],
    ['a.test', '*', 'https://a.test/'],
  ];
  for (const [host, path, location] of locations) {
    it(`to ${host} for ${JSON.stringify(path)} is redirected to ${location}`, () => {
      expect(decide(host, path)).to.deep.equal({ kind: 'redirect', location });
    });
  }

  it('is for nobody without a host', () => {
    expect(decide(undefined, '/')).to.equal(undefined);
    expect(decide(undefined, `${CHALLENGES}a`)).to.equal(undefined);
  });

  for (const host of ['127.0.0.1', '203.0.113.7:80', '[2001:db8::1]', '[::1]:80']) {
    it(`to ${host} is a challenge or nothing`, () => {
      expect(decide(host, `${CHALLENGES}a`)).to.deep.equal({ kind: 'challenge' });
      for (const path of ['/', WHOAMI, CHALLENGES, `${CHALLENGES}a/b`, '*']) {
        expect(decide(host, path), path).to.equal(undefined);
      }
    });
  }

  it('asks the manager who it is at one path, with any query', () => {
    for (const query of ['', '?', '?a=b']) expect(decide('a.test', WHOAMI + query)?.kind).to.equal('whoami');
    for (const path of ['/', 's', '/..', '%20', ';a', '/x'].map((rest) => WHOAMI + rest)) {
      expect(decide('a.test', path)?.kind, path).to.equal('redirect');
    }
    expect(decide('a.test', WHOAMI.toUpperCase())?.kind).to.equal('redirect');
  });
});
