import { expect } from 'chai';
import { readHost } from '../../../lib/domain/host.js';
import { normaliseServerName } from '../../../lib/domain/server-name.js';
import { destinationOf } from '../../../lib/proxy/destination.js';

const requestTo = (url: string, hosts: readonly string[], httpVersion: string) => ({
  url,
  method: 'GET',
  httpVersion,
  host: hosts.length === 1 ? hosts[0] : undefined,
  headers: hosts.flatMap((host) => ['Host', host]),
});
/** Path and host, as they go on. */
const ask = (url: string, hosts: readonly string[], httpVersion = '1.1', serverName?: string) => {
  const name = serverName === undefined ? undefined : normaliseServerName(serverName);
  const destination = destinationOf(requestTo(url, hosts, httpVersion), name);
  return destination && { path: destination.target.pathAndQuery, host: destination.host?.text };
};

describe('Whom a request is for', () => {
  it('is what its one Host says', () => {
    expect(ask('/p?q', ['A.test:8443'])).to.deep.equal({ path: '/p?q', host: 'a.test:8443' });
    expect(ask('/', ['.test'])).to.equal(undefined);
    expect(ask('/', ['a.test', 'a.test'])).to.equal(undefined);
  });

  it('is the name of the connection on HTTP/1.0 without a host, and nobody without that', () => {
    expect(ask('/', [], '1.0', 'a.test')).to.deep.equal({ path: '/', host: 'a.test' });
    expect(ask('/', [], '1.0')).to.deep.equal({ path: '/', host: undefined });
    expect(ask('/', ['b.test'], '1.0', 'a.test')).to.deep.equal({ path: '/', host: 'b.test' });
  });

  it('is malformed without a host on any other version, and with two or an empty one on HTTP/1.0 too', () => {
    expect(ask('/', [], '1.1', 'a.test')).to.equal(undefined);
    expect(ask('/', [], '2.0', 'a.test')).to.equal(undefined);
    expect(ask('/', ['a.test', 'b.test'], '1.0', 'a.test')).to.equal(undefined);
    expect(ask('/', [''], '1.0', 'a.test')).to.equal(undefined);
  });

  it('is not read again where it is the one that is known, and only there', () => {
    const known = readHost('A.test');
    expect(destinationOf(requestTo('/', ['A.test'], '1.1'), undefined, known)?.host).to.equal(known);
    expect(destinationOf(requestTo('/', ['b.test'], '1.1'), undefined, known)?.host?.text).to.equal('b.test');
    expect(destinationOf(requestTo('/', [], '1.0'), undefined, known)?.host).to.equal(undefined);
    const target = destinationOf(requestTo('http://b.test/', ['A.test'], '1.1'), undefined, known);
    expect(target?.host?.text).to.equal('b.test');
  });

  const absolute: [url: string, path: string, host: string][] = [
    ['http://b.test/x?y=http://c.test', '/x?y=http://c.test', 'b.test'],
    ['HTTPS://B.test:8443', '/', 'b.test:8443'],
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
    const request = { ...requestTo('*', ['a.test'], '1.1'), method: 'OPTIONS' };
    expect(destinationOf(request)).to.have.nested.property('target.path', '*');
    for (const [url, path] of [
      ['http://b.test', '*'],
      ['https://b.test:8443', '*'],
      ['http://b.test/', '/'],
      ['http://b.test?x', '/?x'],
    ] as const) {
      const absolute = destinationOf({ ...request, url });
      expect(absolute).to.have.nested.property('target.pathAndQuery', path);
      expect(absolute?.host?.name).to.equal('b.test');
    }
    expect(ask('http://b.test', ['a.test'])).to.deep.equal({ path: '/', host: 'b.test' });
  });

  it('HTTP/2 has no target in absolute form: its authority has a field of its own', () => {
    expect(ask('https://b.test/x', ['a.test'], '2.0')).to.equal(undefined);
  });

  it('a path that looks like a URL further on is a path', () => {
    expect(ask('//b.test/x', ['a.test'])).to.deep.equal({ path: '//b.test/x', host: 'a.test' });
  });
});
