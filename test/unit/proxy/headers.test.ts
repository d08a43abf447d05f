import { expect } from 'chai';
import {
  requestHeaders,
  requestTrailers,
  responseHeaders,
  type Forwarding,
} from '../../../lib/proxy/headers.js';
import { plainAddress } from '../../../lib/tls/connection-info.js';

const OURS = [
  ...['X-Forwarded-For', '192.0.2.7', 'X-Forwarded-Proto', 'https', 'X-Forwarded-Host', 'a.test:8443'],
  ...['X-Forwarded-Port', '443', 'Forwarded', 'for=192.0.2.7;host="a.test:8443";proto=https'],
];
const forwarding: Forwarding = {
  client: { address: '192.0.2.7', port: 40_000 },
  localPort: 443,
  scheme: 'https',
  host: 'a.test:8443',
  isTrusted: false,
};

describe('The fields of a request to the backend', () => {
  const cases: [what: string, sent: string[], passed: string[]][] = [
    ['pass with their spelling and order', ['X-b', '1', 'x-A', '2'], ['X-b', '1', 'x-A', '2']],
    ['pass when repeated', ['Cookie', 'a=1', 'Cookie', 'b=2'], ['Cookie', 'a=1', 'Cookie', 'b=2']],
    ['lose what is for one hop', ['Connection', 'keep-alive', 'Keep-Alive', 'timeout=5'], []],
    [
      'lose every hop-by-hop field, in any spelling',
      ['TE', 'trailers', 'trailer', 'X-T', 'Transfer-Encoding', 'chunked', 'UPGRADE', 'h2c'],
      [],
    ],
    [
      'lose credentials for proxies',
      ['Proxy-Authorization', 'Basic eDp5', 'Proxy-Connection', 'close', 'Proxy-Authenticate', 'Basic'],
      [],
    ],
    ['lose what Connection names', ['X-Hop', '1', 'Connection', 'close, x-hop ,X-Two', 'x-two', '2'], []],
    [
      'lose what a second Connection names',
      ['Connection', 'a', 'Connection', 'b', 'A', '1', 'B', '2', 'C', '3'],
      ['C', '3'],
    ],
    ['lose Expect, which was answered already', ['Expect', '100-continue'], []],
    [
      'lose what the client claims of its way here',
      ['X-Forwarded-For', '10.0.0.1', 'x-forwarded-proto', 'http', 'X-FORWARDED-HOST', 'evil.test'],
      [],
    ],
    [
      'lose claims in the spelling that gateways make variables of',
      ['X_Forwarded_For', '10.0.0.1', 'X-Forwarded_Proto', 'http'],
      [],
    ],
    ['lose a claim in the standard field', ['Forwarded', 'for=10.0.0.1;proto=http'], []],
  ];
  for (const [what, sent, passed] of cases) {
    it(what, () => {
      const headers = requestHeaders(['Host', 'a.test:8443', ...sent], forwarding);
      expect(headers).to.deep.equal([...passed, ...OURS]);
    });
  }

  it('say the host that the request is for, not the field', () => {
    const headers = requestHeaders(['Host', 'other.test'], forwarding);
    expect(headers).to.deep.equal(OURS);
  });

  it('say no host where the client said none', () => {
    const headers = requestHeaders(['A', '1'], { ...forwarding, host: undefined });
    expect(headers).to.deep.equal([
      ...['A', '1', ...OURS.slice(0, 4), ...OURS.slice(6, 8)],
      ...['Forwarded', 'for=192.0.2.7;proto=https'],
    ]);
  });

  it('go on with what a trusted proxy says', () => {
    const headers = requestHeaders(
      [
        ...['X-Forwarded-For', '10.0.0.1', 'X-Forwarded-Proto', 'http', 'X-Forwarded-Host', 'c.test'],
        ...['X-Forwarded-Port', '80', 'Forwarded', 'for=10.0.0.1', 'X_Forwarded_For', '10.6.6.6'],
      ],
      { ...forwarding, isTrusted: true },
    );
    expect(headers).to.deep.equal([
      ...['X-Forwarded-For', '10.0.0.1, 192.0.2.7', 'X-Forwarded-Proto', 'http'],
      ...['X-Forwarded-Host', 'c.test', 'X-Forwarded-Port', '80'],
      ...['Forwarded', 'for=10.0.0.1, for=192.0.2.7;host="a.test:8443";proto=https'],
    ]);
  });

  it('name the protocol in Via and the handshake, where that is wanted, and let nobody else name it', () => {
    const headers = requestHeaders(['X-Forwarded-Tls-Name', 'evil.test', 'Via', '1.0 cache'], {
      ...forwarding,
      via: '2.0',
      tls: { name: 'a.test', protocol: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256' },
    });
    expect(headers).to.deep.equal([
      ...['Via', '1.0 cache', ...OURS],
      ...['X-Forwarded-Tls-Name', 'a.test', 'X-Forwarded-Tls-Protocol', 'TLSv1.3'],
      ...['X-Forwarded-Tls-Cipher', 'TLS_AES_128_GCM_SHA256', 'Via', '2.0 peter-sslers-proxy'],
    ]);
  });
});

describe('The fields of a response to the client', () => {
  it('pass, but for those of the backend’s hop', () => {
    const raw = [
      ...['Date', 'now', 'Set-Cookie', 'a', 'Set-Cookie', 'b', 'Connection', 'X-Hop, close'],
      ...['x-hop', '1', 'Keep-Alive', 'timeout=5', 'Transfer-Encoding', 'chunked', 'Content-Length', '3'],
    ];
    expect(responseHeaders(raw)).to.deep.equal([
      ...['Date', 'now', 'Set-Cookie', 'a', 'Set-Cookie', 'b', 'Content-Length', '3'],
    ]);
  });
});

describe('The address of a client', () => {
  const cases: [address: string | undefined, plain: string][] = [
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8::1', '2001:db8::1'],
    ['::ffff:c000:201', '::ffff:c000:201'],
    [undefined, ''],
  ];
  for (const [address, plain] of cases) {
    it(`${String(address)} is told as "${plain}"`, () => expect(plainAddress(address)).to.equal(plain));
  }
});

describe('The trailers of a request to the backend', () => {
  it('lose what would speak for us among the other fields', () => {
    const raw = [
      'X-Sum',
      '1',
      'X-Forwarded-For',
      '10.0.0.1',
      'x_forwarded_proto',
      'https',
      'Forwarded',
      'for=x',
    ];
    expect(requestTrailers([...raw, 'Host', 'b.test', 'Content-Length', '1'])).to.deep.equal(['X-Sum', '1']);
  });
});
