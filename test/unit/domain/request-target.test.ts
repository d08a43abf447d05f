import { expect } from 'chai';
import { readTarget } from '../../../lib/domain/request-target.js';

describe('A request target', () => {
  const fine: [raw: string, path: string, query: string, authority?: string][] = [
    ['/', '/', ''],
    ['/a?b?c', '/a', 'b?c'],
    ['/a?', '/a', ''],
    ['/?/x', '/', '/x'],
    ['//b.test/x', '//b.test/x', ''],
    ['/\\b.test', '/\\b.test', ''],
    ['/x#y?z', '/x#y', 'z'],
    ['/http://b.test/x', '/http://b.test/x', ''],
    ['*', '*', ''],
    ['http://h.test:1/a?b', '/a', 'b', 'h.test:1'],
    ['http://b.test/x?y=http://c.test', '/x', 'y=http://c.test', 'b.test'],
    ['HTTPS://B.test:8443', '/', '', 'B.test:8443'],
    ['https://b.test?q', '/', 'q', 'b.test'],
    ['https://b.test?/.peter_sslers', '/', '/.peter_sslers', 'b.test'],
    ['https://b.test#/x?q', '/#/x', 'q', 'b.test'],
    ['https://user@b.test//x', '//x', '', 'user@b.test'],
    ['http:///x', '/x', '', ''],
  ];
  for (const [raw, path, query, authority] of fine) {
    it(`${raw} is for the path ${path}`, () => {
      const target = readTarget(raw);
      expect(target).to.include({ path, query, authority });
      const sent =
        raw === '*' ? raw : raw.slice(authority === undefined ? 0 : raw.indexOf(':') + 3 + authority.length);
      expect(target?.pathAndQuery).to.equal(sent.startsWith('/') || raw === '*' ? sent : `/${sent}`);
    });
  }

  for (const raw of [
    '',
    'x',
    'x/y',
    '?q',
    '#',
    '**',
    '*/x',
    '\\x',
    'b.test:443',
    'ftp://b.test/',
    'http:/b.test/x',
    'http:b.test',
  ]) {
    it(`is none: ${raw === '' ? '(empty)' : raw}`, () => expect(readTarget(raw)).to.equal(undefined));
  }

  it('has no authority that ends with a backslash: who takes it for a slash would find another path', () => {
    expect(readTarget('http://b.test\\.peter_sslers/x')).to.equal(undefined);
    expect(readTarget('http://b.test\\/x')).to.equal(undefined);
    expect(readTarget('http:\\\\b.test/x')).to.equal(undefined);
  });
});
