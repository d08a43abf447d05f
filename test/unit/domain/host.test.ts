import { expect } from 'chai';
import { comparable, readHost } from '../../../lib/domain/host.js';
import { FINE_HOSTS, HOSTILE_HOSTS } from '../../support/hosts.js';

describe('The host that a request names', () => {
  for (const [what, host] of HOSTILE_HOSTS) {
    it(`is none where it is ${what}`, () => expect(readHost(host)).to.equal(undefined));
  }

  for (const [host, text] of FINE_HOSTS) {
    it(`goes on as ${text.slice(0, 40)} where it is ${host.slice(0, 40)}`, () => {
      const read = readHost(host);
      expect(read).to.include({ raw: host, text });
      // What went on is read in the same way again.
      expect(readHost(text)).to.deep.equal({ ...read, raw: text });
    });
  }

  it('is a name or an address', () => {
    expect(readHost('A.test.:443')).to.include({ name: 'a.test', address: undefined });
    expect(readHost('192.0.2.7:80')).to.include({ name: undefined, address: '192.0.2.7' });
    expect(readHost('[2001:DB8:0::1]')).to.include({ name: undefined, address: '2001:db8::1' });
  });

  for (const [raw, expected] of [
    ['A.Test', 'a.test'],
    ['a.test.:8443', 'a.test'],
    ['127.0.0.1:80', '127.0.0.1'],
    ['[::1]', '::1'],
    ['[0:0:0:0:0:0:0:1]:8443', '::1'],
    ['::1', '::1'],
    ['[2001:DB8::1]:443', '2001:db8::1'],
    ['[::FFFF:192.0.2.1]', '::ffff:c000:201'],
    ['.A.test', '.a.test'],
    ['', ''],
  ] as const) {
    it(`compares the host ${raw === '' ? '(empty)' : raw} as ${expected === '' ? '(empty)' : expected}`, () => {
      expect(comparable(raw)).to.equal(expected);
    });
  }
});
