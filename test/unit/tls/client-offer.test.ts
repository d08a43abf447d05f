import { expect } from 'chai';
import { once } from 'node:events';
import { connect as connectTcp, createServer, type AddressInfo } from 'node:net';
import { connect } from 'node:tls';
import { readOffer } from '../../../lib/tls/client-offer.js';
import { clientHello12 } from '../../support/raw-tls.js';
import {
  craftWith,
  extension,
  frame,
  hostName,
  serverNames,
  u16,
  unframe,
  vector16,
} from './client-hello-bytes.js';

const vector8 = (bytes: Buffer): Buffer => Buffer.concat([Buffer.from([bytes.length]), bytes]);
const alpn = (...protocols: string[]): Buffer =>
  extension(16, vector16(Buffer.concat(protocols.map((name) => vector8(Buffer.from(name, 'latin1'))))));

/** The first bytes that Node's own client sends. */
async function helloOf(options: object): Promise<Buffer> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const taken = once(server, 'connection');
  const client = connect({ socket: connectTcp(port, '127.0.0.1'), rejectUnauthorized: false, ...options });
  client.on('error', () => undefined);
  const [socket] = (await taken) as [ReturnType<typeof connectTcp>];
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  client.destroy();
  socket.destroy();
  server.close();
  return bytes;
}

describe('readOffer', () => {
  it('reads what a real client offers, best first, in the usual names', async () => {
    const offer = readOffer(
      await helloOf({
        ...{ servername: 'a.test', ALPNProtocols: ['h2', 'http/1.1'], ecdhCurve: 'X25519:P-256' },
        ...{
          sigalgs: 'ECDSA+SHA256:RSA-PSS+SHA384',
          ciphers: 'TLS_AES_128_GCM_SHA256:ECDHE-RSA-AES128-GCM-SHA256',
        },
      }),
    );
    expect(offer).to.deep.equal({
      name: 'a.test',
      versions: 'TLSv1.3,TLSv1.2',
      ciphers: 'TLS_AES_128_GCM_SHA256,ECDHE-RSA-AES128-GCM-SHA256',
      groups: 'x25519,secp256r1',
      signatures: 'ecdsa_secp256r1_sha256,rsa_pss_rsae_sha384',
      alpn: 'h2,http/1.1',
    });
  });

  it('says what the newest version is where a client names none one by one', () => {
    expect(readOffer(clientHello12()).versions).to.equal('up to TLSv1.2');
  });

  it('reads one that comes in records of a single byte', () => {
    const hello = craftWith(serverNames(hostName('a.test')), extension(43, vector8(u16(0x0304))));
    expect(readOffer(frame(unframe(hello), 1))).to.deep.equal(readOffer(hello));
    expect(readOffer(hello)).to.include({ name: 'a.test', versions: 'TLSv1.3' });
  });

  it('leaves out the codes that mean nothing, and shows unknown ones as numbers', () => {
    const hello = craftWith(extension(10, vector16(Buffer.concat([u16(0x2a2a), u16(0x001d), u16(0xfe01)]))));
    expect(readOffer(hello).groups).to.equal('x25519,0xfe01');
  });

  it('cuts every list, and lets no character of the client’s through that is not printable', () => {
    const many = Buffer.concat(Array.from({ length: 5_000 }, (_, index) => u16(0xb000 + index)));
    const hello = craftWith(
      serverNames(hostName(`a\n\x1b[31m\0é"${'x'.repeat(10_000)}`)),
      extension(13, vector16(many)),
      extension(10, vector16(many)),
      alpn(...Array.from({ length: 50 }, () => `h2\r\n${'\xff'.repeat(200)}`)),
    );
    const offer = readOffer(hello);
    const text = Object.values(offer).join('\n');
    expect(text).to.match(/^[\x20-\x7e\n]+$/);
    expect(text.length).to.be.lessThan(1_500);
    expect(offer.name).to.match(/^a\?\?\[31m\?\?"x+\.\.\.$/);
    expect(offer.signatures).to.match(/0xb00b and 49\d\d more$/);
    expect(offer.alpn).to.match(/ and 42 more$/);
  });

  it('reads nothing out of anything else, and never throws', () => {
    expect(readOffer(Buffer.alloc(0))).to.deep.equal({});
    expect(readOffer(Buffer.from('GET / HTTP/1.1\r\n'))).to.deep.equal({});
    const hello = craftWith(
      extension(13, Buffer.from([0])),
      extension(10, Buffer.alloc(0)),
      extension(43, u16(1)),
    );
    for (let at = 0; at < hello.length; at++) {
      for (const value of [0, 1, 0x7f, 0xff]) {
        const broken = Buffer.from(hello);
        broken[at] = value;
        expect(() => readOffer(broken)).to.not.throw();
      }
      expect(() => readOffer(hello.subarray(0, at))).to.not.throw();
    }
  });
});
