import { expect } from 'chai';
import { AddressList } from '../../../lib/net/address-list.js';

describe('A list of addresses', () => {
  const cases: [address: string, entries: string[], isThere: boolean][] = [
    ['10.1.2.3', ['10.0.0.0/8'], true],
    ['11.1.2.3', ['10.0.0.0/8'], false],
    ['10.1.2.3', ['10.1.2.3'], true],
    ['::ffff:10.1.2.3', ['10.0.0.0/8'], true],
    ['2001:db8::1', ['2001:db8::/32'], true],
    ['fe80::1%eth0', ['fe80::/10'], true],
    // Peers on a unix socket have no address: nothing that goes by addresses holds for them.
    ['', ['0.0.0.0/0', '::/0'], false],
    ['unknown', ['0.0.0.0/0', '::/0'], false],
    ['10.1.2.3', [], false],
  ];
  for (const [address, entries, isThere] of cases) {
    it(`${isThere ? 'has' : 'has not'} ${address === '' ? 'no address' : address} in ${entries.join(' and ') || 'nothing'}`, () =>
      expect(new AddressList(entries).has(address)).to.equal(isThere));
  }
});
