import { expect } from 'chai';
import { clientGroup } from '../../../lib/net/ip-bytes.js';

describe('Clients that share something', () => {
  for (const [address, client] of [
    ['192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::1', '2001:db8:1:2::/64'],
    ['fe80::1%eth0', 'fe80::/64'],
    ['::1', '::/64'],
    ['', ''],
  ] as const) {
    it(`count ${address === '' ? 'no address' : address} as ${client === '' ? 'nobody' : client}`, () => {
      expect(clientGroup(address)).to.equal(client);
    });
  }
});
