import { expect } from 'chai';
import { decideCompanion } from '../../../lib/proxy/http-companion.js';

const CHALLENGES = '/.well-known/acme-challenge/';

describe('A request on plain HTTP', () => {
  for (const token of ['abc', 'A-Z_09', 'abc?x=1', 'a'.repeat(500)]) {
    it(`is a challenge for ${token.slice(0, 20)}`, () => {
      expect(decideCompanion({ host: 'a.test:80', path: CHALLENGES + token })).to.deep.equal({
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
      expect(decideCompanion({ host: 'a.test', path: CHALLENGES + rest })?.kind).to.equal('redirect');
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
      expect(decideCompanion({ host, path })).to.deep.equal({ kind: 'redirect', location });
    });
  }

  for (const host of [
    undefined,
    '',
    ':80',
    '127.0.0.1',
    '[::1]:80',
    '1',
    'a..test',
    '-a.test',
    'a_%.test',
    'a,b',
    'a!b',
  ]) {
    it(`is for nobody when its host is ${String(host)}`, () => {
      expect(decideCompanion({ host, path: '/' })).to.equal(undefined);
      expect(decideCompanion({ host, path: `${CHALLENGES}a` })).to.equal(undefined);
    });
  }
});
