import { expect } from 'chai';
import { connectOptions } from '../../../lib/domain/address.js';
import { serverAt } from '../../support/servers.js';

describe("A backend's origin", () => {
  const cases: [origin: string, isTls: boolean, host: string, address: object, serverName: string][] = [
    ['http://b.test', false, 'b.test', { host: 'b.test', port: 80 }, 'b.test'],
    ['https://b.test', true, 'b.test', { host: 'b.test', port: 443 }, 'b.test'],
    ['https://b.test:8443', true, 'b.test:8443', { host: 'b.test', port: 8443 }, 'b.test'],
    ['http://192.0.2.7:81', false, '192.0.2.7:81', { host: '192.0.2.7', port: 81 }, ''],
    ['https://[2001:db8::1]:8443', true, '[2001:db8::1]:8443', { host: '2001:db8::1', port: 8443 }, ''],
    ['https://[::1]', true, '[::1]', { host: '::1', port: 443 }, ''],
  ];
  for (const [origin, isTls, host, address, serverName] of cases) {
    it(`${origin} says where to connect, and what to call it`, () => {
      expect(serverAt(origin).parsed).to.deep.equal({ isTls, host, address, serverName });
      expect(connectOptions(serverAt(origin).parsed.address)).to.deep.equal(address);
    });
  }

  it('on a unix socket is its name, and the socket where to connect', () => {
    const { host, address, isTls } = serverAt('http://localhost', { socketPath: '/run/b.sock' }).parsed;
    expect([host, isTls]).to.deep.equal(['localhost', false]);
    expect(connectOptions(address)).to.deep.equal({ path: '/run/b.sock' });
  });
});
