import { expect } from 'chai';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import type { ConnectionInfo } from '../../../lib/net/connection-info.js';
import { acceptPlain } from '../../../lib/net/plain-listener.js';
import { listenerOptions } from '../tls/listener-options.js';

/** What is known of a connection that begins with some bytes. */
async function infoOf(bytes: string | Buffer, sendsProxyHeader = true): Promise<ConnectionInfo> {
  const server = createServer();
  const handedOver = new Promise<ConnectionInfo>((resolve) =>
    acceptPlain(server, {
      index: 0,
      limits: listenerOptions.limits,
      sendsProxyHeader: () => sendsProxyHeader,
      headerTimeoutMs: () => 10_000,
      onConnection: (socket, info) => {
        socket.destroy();
        resolve(info);
      },
    }),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  client.on('error', () => undefined);
  client.write(bytes);
  const info = await handedOver;
  client.destroy();
  server.close();
  return info;
}

const v2 = (hex: string): Buffer => Buffer.from(`0d0a0d0a000d0a515549540a${hex}`, 'hex');

describe('The client of a plain connection', () => {
  const cases: [what: string, bytes: string | Buffer, address: string, isKnown: boolean][] = [
    ['named in version 1', 'PROXY TCP4 192.0.2.1 203.0.113.5 1 2\r\n', '192.0.2.1', true],
    ['named in version 2', v2('2111000cc0000201cb007105303901bb'), '192.0.2.1', true],
    ['unknown in version 1', 'PROXY UNKNOWN\r\n', '127.0.0.1', false],
    ['the proxy itself', v2('20000000'), '127.0.0.1', false],
    ['of an unspecified protocol', v2('21000000'), '127.0.0.1', false],
    ['on a unix socket', v2(`213100d8${'00'.repeat(216)}`), '', false],
  ];
  for (const [what, bytes, address, isClientKnown] of cases) {
    it(`is ${isClientKnown ? '' : 'not '}known where the PROXY header says that it is ${what}`, async () => {
      const info = await infoOf(bytes);
      expect(info).to.include({ isClientKnown });
      expect(info.client.address).to.equal(address);
    });
  }

  it('is known without a PROXY header', async () => {
    expect(await infoOf('GET', false)).to.include({ isClientKnown: true });
  });
});
