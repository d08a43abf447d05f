/**
 * Whose word on a client is believed: what a backend hears of it from whom.
 */
import { expect } from 'chai';
import { startFront, type Front } from '../../support/front.js';
import { RawClient } from '../../support/raw-client.js';
import { startRecordingBackend, type RecordingBackend } from '../../support/recording-backend.js';

/** Version 2 of a PROXY header. */
const binary = (command: number, family: number, body: Buffer): Buffer =>
  Buffer.concat([
    Buffer.from('0d0a0d0a000d0a515549540a', 'hex'),
    Buffer.from([command, family, body.length >> 8, body.length & 0xff]),
    body,
  ]);
const IPV4 = Buffer.from('c0000201cb007105303901bb', 'hex');

const CLAIMS = ['X-Forwarded-For: 10.6.6.6', 'X-Forwarded-Proto: gopher', 'Forwarded: for=10.6.6.6'];

describe('The word of a peer that sends PROXY headers and is a trusted proxy', () => {
  let backend: RecordingBackend;
  let front: Front;

  before(async () => {
    backend = await startRecordingBackend();
    front = await startFront({
      backends: [backend.url],
      settings: {
        acceptProxyProtocol: ['127.0.0.1'],
        headers: { trustedProxies: ['127.0.0.1', '192.0.2.1'], via: false, forwardTlsInfo: false },
      },
    });
  });
  after(async () => {
    await front[Symbol.asyncDispose]();
    await backend[Symbol.asyncDispose]();
  });
  beforeEach(() => backend.clear());

  /** What the backend hears of a client with a header before its claims. */
  async function heard(header: Buffer): Promise<Map<string, string>> {
    using client = await RawClient.connect(front.port, 'a.test', header);
    client.send(['GET / HTTP/1.1', 'Host: a.test', ...CLAIMS, '', ''].join('\r\n'));
    await client.until('it is answered', ({ received }) => received.endsWith('ok'));
    return new Map(backend.requests[0]?.fields);
  }

  const unnamed: [what: string, header: Buffer, address: string | undefined][] = [
    ['UNKNOWN in version 1', Buffer.from('PROXY UNKNOWN\r\n'), '127.0.0.1'],
    ['UNKNOWN with addresses', Buffer.from('PROXY UNKNOWN ::1 ::1 1 2\r\n'), '127.0.0.1'],
    ['LOCAL in version 2', binary(0x20, 0x00, Buffer.alloc(0)), '127.0.0.1'],
    ['LOCAL with addresses', binary(0x20, 0x11, IPV4), '127.0.0.1'],
    ['an unspecified protocol', binary(0x21, 0x00, Buffer.alloc(0)), '127.0.0.1'],
    ['a datagram', binary(0x21, 0x12, IPV4), '127.0.0.1'],
    ['a unix socket', binary(0x21, 0x31, Buffer.alloc(216, 'x')), undefined],
  ];
  for (const [what, header, address] of unnamed) {
    it(`is not that of its client where the header names none: ${what}`, async () => {
      const fields = await heard(header);
      expect(fields.get('x-forwarded-for')).to.equal(address);
      expect(fields.get('x-forwarded-proto')).to.equal('https');
      expect(fields.get('forwarded')).to.equal(`for=${address ?? 'unknown'};host=a.test;proto=https`);
    });
  }

  it('is that of the client that the header names', async () => {
    const fields = await heard(binary(0x21, 0x11, IPV4));
    expect(fields.get('x-forwarded-for')).to.equal('10.6.6.6, 192.0.2.1');
    expect(fields.get('x-forwarded-proto')).to.equal('gopher');
  });

  it('is nothing for a client that the header names and that is no trusted proxy', async () => {
    const fields = await heard(Buffer.from('PROXY TCP4 192.0.2.9 203.0.113.5 12345 443\r\n'));
    expect(fields.get('x-forwarded-for')).to.equal('192.0.2.9');
    expect(fields.get('x-forwarded-proto')).to.equal('https');
  });
});
