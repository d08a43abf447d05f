import { expect } from 'chai';
import { destinationOf } from '../../../lib/proxy/destination.js';

const ask = (url: string, hosts: readonly string[], httpVersion = '1.1') =>
  destinationOf({ url, method: 'GET', httpVersion, host: hosts.length === 1 ? hosts[0] : undefined });

describe('Whom a request is for', () => {
  const hosts = [
    ...['a.test', 'A.test:8443', 'a_b.test', 'xn--bcher-kva.test.', '127.0.0.1', '127.0.0.1:7599', 'a.test:'],
    ...['[::1]', '[2001:db8::1]:443', '1.2.3', 'sub-delims!$&(),;=.test'],
  ];
  for (const host of hosts) {
    it(`the host ${host} is kept as it is`, () =>
      expect(ask('/p?q', [host])).to.deep.equal({ path: '/p?q', host }));
  }

  const malformed = [
    ...[
      '',
      'a b',
      'a.test/',
      'a.test/x',
      'user@a.test',
      'a.test:80:80',
      'a.test:x',
      '[::1',
      '::1',
      '[a.test]',
    ],
    ...['a.test, b.test', 'a"b', '<script>', 'ä.test', 'a\\b', '?', '#', ':80'],
  ];
  for (const host of malformed) {
    it(`the host "${host}" is for nobody`, () => expect(ask('/', [host])).to.equal(undefined));
  }

  it('only HTTP/1.0 goes without a host', () => {
    expect(ask('/', [])).to.equal(undefined);
    expect(ask('/', [], '1.0')).to.deep.equal({ path: '/', host: undefined });
  });

  const absolute: [url: string, path: string, host: string][] = [
    ['http://b.test/x?y=http://c.test', '/x?y=http://c.test', 'b.test'],
    ['HTTPS://B.test:8443', '/', 'B.test:8443'],
    ['https://b.test?q', '/?q', 'b.test'],
  ];
  for (const [url, path, host] of absolute) {
    it(`the target ${url} overrides the Host field`, () =>
      expect(ask(url, ['a.test'])).to.deep.equal({ path, host }));
  }

  it('a target with a user name or without a host is for nobody', () => {
    expect(ask('http://user@b.test/', ['a.test'])).to.equal(undefined);
    expect(ask('http:///x', ['a.test'])).to.equal(undefined);
  });

  it('a target that is neither a path nor for HTTP is for nobody', () => {
    for (const url of ['x', '', 'ftp://b.test/', '*', 'b.test:443'])
      expect(ask(url, ['a.test'])).to.equal(undefined);
  });

  it('only OPTIONS may be for the server as a whole', () => {
    const request = { url: '*', method: 'OPTIONS', httpVersion: '1.1', host: 'a.test' };
    expect(destinationOf(request)).to.deep.equal({ path: '*', host: 'a.test' });
  });

  it('HTTP/2 has no target in absolute form: its authority has a field of its own', () => {
    expect(ask('https://b.test/x', ['a.test'], '2.0')).to.equal(undefined);
  });

  it('a path that looks like a URL further on is a path', () => {
    expect(ask('//b.test/x', ['a.test'])).to.deep.equal({ path: '//b.test/x', host: 'a.test' });
  });
});
