import { expect } from 'chai';
import { randomBytes } from 'node:crypto';
import { buildProxyHeader } from '../../../lib/net/proxy-protocol-writer.js';
import {
  MAX_PROXY_HEADER_BYTES,
  parseProxyHeader,
  type ProxyHeader,
} from '../../../lib/net/proxy-protocol-parser.js';

const SIGNATURE = '0d0a0d0a000d0a515549540a';
const REST = Buffer.from('\x16\x03\x01 what follows', 'latin1');

const line = (text: string): Buffer => Buffer.from(text, 'latin1');

function binary(command: number, family: number, body: Buffer, length = body.length): Buffer {
  const head = Buffer.from([command, family, length >> 8, length & 0xff]);
  return Buffer.concat([Buffer.from(SIGNATURE, 'hex'), head, body]);
}

const IPV4_BODY = Buffer.from('c0000201cb007105' + '3039' + '01bb', 'hex');
const IPV6_BODY = Buffer.from(
  '20010db8000000000000000000000001' + '20010db8000000000000000000000002' + '3039' + '01bb',
  'hex',
);
const MAPPED_BODY = Buffer.from(
  '00000000000000000000ffffc0000201' + '00000000000000000000ffffcb007105' + '3039' + '01bb',
  'hex',
);

const peers4 = {
  source: { address: '192.0.2.1', port: 12345 },
  destination: { address: '203.0.113.5', port: 443 },
};
const peers6 = {
  source: { address: '2001:db8::1', port: 12345 },
  destination: { address: '2001:db8::2', port: 443 },
};
const nobody = { address: '', port: 0 };

describe('The PROXY protocol header', () => {
  const headers: readonly (readonly [string, Buffer, Pick<ProxyHeader, 'peers'>])[] = [
    ['v1 for IPv4', line('PROXY TCP4 192.0.2.1 203.0.113.5 12345 443\r\n'), { peers: peers4 }],
    ['v1 for IPv6', line('PROXY TCP6 2001:DB8:0:0::1 2001:db8::2 12345 443\r\n'), { peers: peers6 }],
    [
      'v1 for IPv4 that came over a dual-stack socket',
      line('PROXY TCP6 ::ffff:192.0.2.1 ::ffff:203.0.113.5 12345 443\r\n'),
      { peers: peers4 },
    ],
    ['v1 for the unknown', line('PROXY UNKNOWN\r\n'), {}],
    ['v1 for the unknown with what is to be ignored', line('PROXY UNKNOWN ffff:f...f:ffff 1 2\r\n'), {}],
    [
      'v1 of the greatest length',
      line(`PROXY UNKNOWN ${'f'.repeat(107 - 'PROXY UNKNOWN '.length - 2)}\r\n`),
      {},
    ],
    ['v2 for IPv4', binary(0x21, 0x11, IPV4_BODY), { peers: peers4 }],
    ['v2 for IPv6', binary(0x21, 0x21, IPV6_BODY), { peers: peers6 }],
    ['v2 for mapped IPv4', binary(0x21, 0x21, MAPPED_BODY), { peers: peers4 }],
    [
      'v2 for IPv4 with TLVs',
      binary(0x21, 0x11, Buffer.concat([IPV4_BODY, randomBytes(300)])),
      { peers: peers4 },
    ],
    [
      'v2 for unix sockets',
      binary(0x21, 0x31, Buffer.alloc(216, 'x')),
      { peers: { source: nobody, destination: nobody } },
    ],
    ['v2 for the unspecified', binary(0x21, 0x00, Buffer.alloc(0)), {}],
    ['v2 for datagrams', binary(0x21, 0x12, IPV4_BODY), {}],
    ['v2 of the sender itself', binary(0x20, 0x00, Buffer.alloc(0)), {}],
    ['v2 of the sender itself with addresses', binary(0x20, 0x11, IPV4_BODY), {}],
    [
      'v2 of the greatest length',
      binary(0x21, 0x11, Buffer.concat([IPV4_BODY, Buffer.alloc(MAX_PROXY_HEADER_BYTES - 28)])),
      { peers: peers4 },
    ],
  ];
  for (const [what, bytes, expected] of headers) {
    it(`is read: ${what}`, () => {
      const header = { kind: 'header', consumedBytes: bytes.length, ...expected };
      expect(parseProxyHeader(Buffer.concat([bytes, REST]))).to.deep.equal(header);
      expect(parseProxyHeader(bytes)).to.deep.equal(header);
    });

    it(`is waited for at every byte, and no longer than needed: ${what}`, () => {
      for (let length = 0; length < bytes.length; length++) {
        const early = parseProxyHeader(bytes.subarray(0, length));
        if (early.kind !== 'incomplete') throw new Error(`${early.kind} after ${length} bytes`);
        expect(early.needBytes).to.be.greaterThan(length).and.at.most(bytes.length);
      }
    });
  }

  const wrong: readonly [string, Buffer, RegExp][] = [
    ['a ClientHello', REST, /no PROXY/],
    ['an HTTP request', line('GET / HTTP/1.1\r\n'), /no PROXY/],
    ['a POST, which begins as PROXY does', line('POST /'), /no PROXY/],
    ['lower case', line('proxy TCP4'), /no PROXY/],
    ['a line without an end', line(`PROXY TCP4 ${'1'.repeat(200)}`), /too long/],
    ['a line one byte too long', line(`PROXY UNKNOWN ${'f'.repeat(92)}\r\n`), /too long/],
    ['an unknown protocol', line('PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n'), /protocol/],
    ['no protocol', line('PROXY \r\n'), /protocol/],
    ['a name for an address', line('PROXY TCP4 a.test 1.2.3.4 1 2\r\n'), /address/],
    ['an IPv4 address as IPv6', line('PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n'), /address/],
    ['a zone', line('PROXY TCP6 fe80::1%eth0 fe80::2 1 2\r\n'), /address/],
    ['a leading zero in an address', line('PROXY TCP4 01.2.3.4 1.2.3.4 1 2\r\n'), /address/],
    ['a port too high', line('PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n'), /port/],
    ['a port that is none', line('PROXY TCP4 1.2.3.4 1.2.3.4 -1 2\r\n'), /port/],
    ['a leading zero in a port', line('PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n'), /port/],
    ['too few fields', line('PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n'), /fields/],
    ['too many fields', line('PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n'), /fields/],
    ['two spaces', line('PROXY TCP4  1.2.3.4 1.2.3.4 1 2\r\n'), /fields/],
    ['a bare line feed', line(`PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n${'x'.repeat(100)}`), /too long/],
    ['version 1 in binary', binary(0x11, 0x11, IPV4_BODY), /version/],
    ['another command', binary(0x22, 0x11, IPV4_BODY), /command/],
    ['another family', binary(0x21, 0x41, IPV4_BODY), /family/],
    ['another transport', binary(0x21, 0x13, IPV4_BODY), /family/],
    ['IPv4 addresses cut short', binary(0x21, 0x11, IPV4_BODY.subarray(1)), /too short/],
    ['IPv6 addresses cut short', binary(0x21, 0x21, IPV4_BODY), /too short/],
    ['unix addresses cut short', binary(0x21, 0x31, Buffer.alloc(215)), /too short/],
    ['a length of 64 KiB', binary(0x21, 0x11, IPV4_BODY, 0xffff), /longer than 16 KiB/],
    ['a broken signature', Buffer.from('0d0a0d0a000d0a51554954ff', 'hex'), /no PROXY/],
  ];
  for (const [what, bytes, reason] of wrong) {
    it(`is refused: ${what}`, () => {
      const result = parseProxyHeader(bytes);
      expect(result.kind).to.equal('invalid');
      expect(result).to.have.property('reason').that.matches(reason);
    });
  }

  it('is an answer whatever the bytes, and never an exception', () => {
    for (let round = 0; round < 2_000; round++) {
      const start =
        [Buffer.alloc(0), line('PROXY TCP6 '), Buffer.from(SIGNATURE, 'hex')][round % 3] ?? Buffer.alloc(0);
      const bytes = Buffer.concat([start, randomBytes(round % 300)]);
      const result = parseProxyHeader(bytes);
      if (result.kind === 'header') expect(result.consumedBytes).to.be.at.most(bytes.length);
    }
  });
});

describe('The PROXY protocol header that is sent', () => {
  const connection = { client: peers4.source, local: peers4.destination };

  it('is a line in version 1', () => {
    expect(buildProxyHeader('v1', connection).toString()).to.equal(
      'PROXY TCP4 192.0.2.1 203.0.113.5 12345 443\r\n',
    );
    expect(buildProxyHeader('v1', { client: peers6.source, local: peers6.destination }).toString()).to.equal(
      'PROXY TCP6 2001:db8::1 2001:db8::2 12345 443\r\n',
    );
  });

  it('maps an IPv4 address beside an IPv6 one', () => {
    const mixed = { client: peers4.source, local: peers6.destination };
    expect(buildProxyHeader('v1', mixed).toString()).to.equal(
      'PROXY TCP6 ::ffff:192.0.2.1 2001:db8::2 12345 443\r\n',
    );
    expect(parseProxyHeader(buildProxyHeader('v2', mixed))).to.deep.include({
      peers: { source: peers4.source, destination: peers6.destination },
    });
  });

  it('says UNKNOWN, or nothing, for a client on a unix socket', () => {
    const local = { client: nobody, local: nobody };
    expect(buildProxyHeader('v1', local).toString()).to.equal('PROXY UNKNOWN\r\n');
    expect(buildProxyHeader('v2', local).toString('hex')).to.equal(`${SIGNATURE}21000000`);
  });

  it('leaves the zone of a link-local address out', () => {
    const client = { address: 'fe80::1%eth0', port: 1 };
    const header = buildProxyHeader('v2', { client, local: peers6.destination });
    expect(parseProxyHeader(header)).to.have.nested.property('peers.source.address', 'fe80::1');
  });

  it('has addresses, ALPN, name, id and the handshake in version 2', () => {
    const header = buildProxyHeader('v2', {
      ...connection,
      alpn: 'imap',
      serverName: 'a.test',
      uniqueId: Buffer.from([1, 2, 3]),
      tls: { version: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256' },
    });
    const ssl = [
      '01' + '00000001',
      `210007${Buffer.from('TLSv1.3').toString('hex')}`,
      `230016${Buffer.from('TLS_AES_128_GCM_SHA256').toString('hex')}`,
    ].join('');
    const body = [
      IPV4_BODY.toString('hex'),
      `010004${Buffer.from('imap').toString('hex')}`,
      `020006${Buffer.from('a.test').toString('hex')}`,
      `050003010203`,
      `20${(ssl.length / 2).toString(16).padStart(4, '0')}${ssl}`,
    ].join('');
    const length = (body.length / 2).toString(16).padStart(4, '0');
    expect(header.toString('hex')).to.equal(`${SIGNATURE}2111${length}${body}`);
  });

  it('reads as it was written, for addresses of every shape', () => {
    for (const address of ['::', '::1', '1::', '1:2:3:4:5:6:7:8', 'a:0:0:b::c', '1:2:3:4:5:6:7::']) {
      const header = buildProxyHeader('v2', { client: { address, port: 1 }, local: peers6.destination });
      const parsed = parseProxyHeader(header);
      const expected = new URL(`http://[${address}]/`).hostname.slice(1, -1);
      expect(parsed).to.have.nested.property('peers.source.address', expected);
    }
  });
});
