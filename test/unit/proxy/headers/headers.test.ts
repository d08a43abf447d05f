import { expect } from 'chai';
import {
  requestHeaders,
  requestTrailers,
  trailerFields,
  responseHeaders,
  type Forwarding,
} from '../../../../lib/proxy/headers/headers.js';
import { AddressList } from '../../../../lib/net/address-list.js';
import { plainAddress } from '../../../../lib/net/connection-info.js';

const OURS = [
  ...['X-Forwarded-For', '192.0.2.7', 'X-Real-IP', '192.0.2.7'],
  ...['X-Forwarded-Proto', 'https', 'X-Forwarded-Host', 'a.test:8443'],
  ...['X-Forwarded-Port', '443', 'Forwarded', 'for=192.0.2.7;host="a.test:8443";proto=https'],
];
const forwarding: Forwarding = {
  client: { address: '192.0.2.7', port: 40_000 },
  localPort: 443,
  scheme: 'https',
  host: 'a.test:8443',
};
const trusted = new AddressList(['192.0.2.7', '10.0.0.0/8', '2001:db8:1::/48']);

describe('The fields of a request to the backend', () => {
  const cases: [what: string, sent: string[], passed: string[]][] = [
    ['pass with their spelling and order', ['X-b', '1', 'x-A', '2'], ['X-b', '1', 'x-A', '2']],
    ['say which trailers will follow', ['trailer', 'X-T'], ['trailer', 'X-T']],
    ['pass when repeated', ['Cookie', 'a=1', 'Cookie', 'b=2'], ['Cookie', 'a=1', 'Cookie', 'b=2']],
    ['lose what is for one hop', ['Connection', 'keep-alive', 'Keep-Alive', 'timeout=5'], []],
    [
      'lose every hop-by-hop field, in any spelling',
      ['TE', 'trailers', 'Transfer-Encoding', 'chunked', 'UPGRADE', 'h2c'],
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
      ...['A', '1', ...OURS.slice(0, 6), ...OURS.slice(8, 10)],
      ...['Forwarded', 'for=192.0.2.7;proto=https'],
    ]);
  });

  it('go on with what a trusted proxy says', () => {
    const headers = requestHeaders(
      [
        ...['X-Forwarded-For', '198.51.100.1', 'X-Forwarded-Proto', 'http', 'X-Forwarded-Host', 'c.test'],
        ...['X-Forwarded-Port', '80', 'Forwarded', 'for=198.51.100.1', 'X_Forwarded_For', '10.6.6.6'],
        ...[
          'X-Forwarded-User',
          'ada',
          'x.real.ip',
          '10.6.6.6',
          'Proxy',
          'http://x.test/',
          'SSL_CLIENT_CERT',
          'c',
        ],
      ],
      { ...forwarding, trusted },
    );
    expect(headers).to.deep.equal([
      ...['X-Forwarded-User', 'ada', 'SSL_CLIENT_CERT', 'c'],
      ...[
        'X-Forwarded-For',
        '198.51.100.1, 192.0.2.7',
        'X-Real-IP',
        '198.51.100.1',
        'X-Forwarded-Proto',
        'http',
      ],
      ...['X-Forwarded-Host', 'c.test', 'X-Forwarded-Port', '80'],
      ...['Forwarded', 'for=198.51.100.1, for=192.0.2.7;host="a.test:8443";proto=https'],
    ]);
  });

  const clients: [what: string, fields: string[], client: string][] = [
    ['nobody', [], '192.0.2.7'],
    ['one client', ['X-Forwarded-For', '198.51.100.1'], '198.51.100.1'],
    [
      'one behind further proxies',
      ['X-Forwarded-For', '198.51.100.1, 10.0.0.1,2001:db8:1::1'],
      '198.51.100.1',
    ],
    ['one who claims to be another', ['X-Forwarded-For', '10.6.6.6, 198.51.100.1, 10.0.0.1'], '198.51.100.1'],
    [
      'one in two fields',
      ['X-Forwarded-For', '10.6.6.6, 198.51.100.1', 'x-forwarded-for', '10.0.0.1'],
      '198.51.100.1',
    ],
    ['trusted proxies alone', ['X-Forwarded-For', '10.0.0.2, 10.0.0.1'], '10.0.0.2'],
    ['one with a port', ['X-Forwarded-For', '198.51.100.1:4711'], '198.51.100.1'],
    ['one with brackets and a port', ['X-Forwarded-For', '[2001:DB8::1]:4711'], '2001:db8::1'],
    ['one of a dual-stack socket', ['X-Forwarded-For', '::ffff:198.51.100.1'], '198.51.100.1'],
    ['somebody unknown', ['X-Forwarded-For', '198.51.100.1, unknown, 10.0.0.1'], '10.0.0.1'],
    ['nonsense', ['X-Forwarded-For', '127.1'], '192.0.2.7'],
    ['one in the field of nginx', ['X-Real-IP', '198.51.100.1'], '198.51.100.1'],
    ['one in both', ['X-Real-IP', '10.6.6.6', 'X-Forwarded-For', '198.51.100.1'], '198.51.100.1'],
    ['two in the field of nginx', ['X-Real-IP', '198.51.100.1', 'X-Real-IP', '10.6.6.6'], '192.0.2.7'],
  ];
  for (const [what, fields, client] of clients) {
    it(`say in X-Real-IP the client that a trusted proxy names: ${what}`, () => {
      const headers = requestHeaders(fields, { ...forwarding, trusted });
      expect(headers.filter((_, i) => headers[i - 1] === 'X-Real-IP')).to.deep.equal([client]);
    });
  }

  it('name nobody on a unix socket', () => {
    const headers = requestHeaders(['X-Real-IP', '10.6.6.6'], {
      ...forwarding,
      client: { address: '', port: 0 },
    });
    expect(headers).not.to.include('X-Real-IP');
    expect(headers).not.to.include('X-Forwarded-For');
  });

  it('lose fields of the hop in the spelling that gateways make variables of', () => {
    const sent = [
      'Transfer_Encoding',
      'chunked',
      'Content_Length',
      '5',
      'Proxy_Authorization',
      'x',
      'H.ost',
      '1',
    ];
    expect(requestHeaders([...sent, 'Content-Length', '0'], forwarding)).to.deep.equal([
      ...['H.ost', '1', 'Content-Length', '0', ...OURS],
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
    const passed = ['Date', 'now', 'Set-Cookie', 'a', 'Set-Cookie', 'b'];
    for (const status of [200, 304, 404])
      expect(responseHeaders(raw, status)).to.deep.equal([...passed, 'Content-Length', '3']);
    for (const status of [101, 103, 204]) expect(responseHeaders(raw, status)).to.deep.equal(passed);
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

describe('The trailers of a response', () => {
  it('lose what the head would lose, and the id of the request, which is ours to say', () => {
    const raw = ['grpc-status', '0', 'X-Request-Id', 'theirs', 'Connection', 'x', 'Content-Length', '1'];
    expect(trailerFields(raw)).to.deep.equal(['grpc-status', '0']);
  });
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
