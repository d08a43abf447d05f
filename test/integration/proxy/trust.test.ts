/**
 * Whose word on a client is believed: what a backend hears of it from whom.
 */
import { expect } from 'chai';
import { startBackend, type Backend } from '../../support/backend.js';
import { startFront, type Front } from '../../support/front.js';
import { H2Client } from '../../support/h2-client.js';
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

/** As those write them who believe them, so that each is a name of its own. */
const CLAIMED = [
  ...['X-Forwarded-For', 'X-Forwarded-Proto', 'X-Forwarded-Host', 'X-Forwarded-Port', 'X-Forwarded-Server'],
  ...['X-Forwarded-By', 'X-Forwarded-Ssl', 'X-Forwarded-Scheme', 'X-Forwarded-Prefix', 'X-Forwarded-Uri'],
  ...['X-Forwarded-Method', 'X-Forwarded-User', 'X-Forwarded-Email', 'X-Forwarded-Groups', 'X-Forwarded'],
  ...['X-Forwarded-Preferred-Username', 'X-Forwarded-Access-Token', 'X-Forwarded-Client-Cert'],
  ...['X-Forwarded-Tls-Client-Cert', 'X-Forwarded-Tls-Client-Cert-Info', 'X-Forwarded-Tls-Name'],
  ...['Forwarded', 'Forwarded-For', 'X-Real-IP', 'X-Client-IP', 'Client-IP', 'True-Client-IP'],
  ...['CF-Connecting-IP', 'CF-Connecting-IPv6', 'CF-Visitor', 'Fastly-Client-IP', 'X-Cluster-Client-IP'],
  ...['X-Azure-ClientIP', 'X-Appengine-User-IP', 'X-Envoy-External-Address', 'X-Envoy-Internal'],
  ...['Proxy-Client-IP', 'WL-Proxy-Client-IP', 'X-Originating-IP', 'X-Remote-IP', 'X-Remote-Addr'],
  ...['X-Scheme', 'Front-End-Https', 'X-Original-URL', 'X-Original-URI', 'X-Original-Host', 'X-Original-For'],
  ...['X-Original-Proto', 'X-Original-Method', 'X-Rewrite-URL', 'X-Host', 'X-Http-Host-Override'],
  ...['Client-Cert', 'Client-Cert-Chain', 'X-SSL', 'X-SSL-Cert', 'X-SSL-Client-Verify', 'X-SSL-Client-DN'],
  ...[
    'SSL-Client-Cert',
    'SSL-Client-Verify',
    'SSL-Client-Subject-DN',
    'X-Client-Cert',
    'X-Client-Certificate',
  ],
  ...['X-Client-DN', 'X-Client-Verify', 'X-ARR-ClientCert', 'X-ARR-SSL', 'X-TLS-Client-Cert'],
  ...['X-Amzn-Mtls-Clientcert', 'X-Amzn-Oidc-Identity', 'Remote-User', 'Remote-Groups', 'Remote-Email'],
  ...['Remote-Addr', 'X-Remote-User', 'X-Remote-Group', 'X-Auth-Request-User', 'X-Auth-Request-Email'],
  ...['X-WebAuth-User', 'X-authentik-username', 'X-Consumer-Username', 'X-Goog-Authenticated-User-Email'],
  ...[
    'X-MS-Client-Principal',
    'OIDC-CLAIM-sub',
    'Tailscale-User-Login',
    'X-Sendfile-Type',
    'X-Accel-Mapping',
  ],
  'Proxy',
];
const SPELLINGS: readonly ((name: string) => string)[] = [
  (name) => name,
  (name) => name.toLowerCase(),
  (name) => name.toUpperCase(),
  (name) => name.replaceAll('-', '_'),
  (name) => name.replace('-', '_'),
  (name) => name.replaceAll('-', '.').toLowerCase(),
];
const SPELLED = [...new Set(CLAIMED.flatMap((name) => SPELLINGS.map((spell) => spell(name))))];
const FINE = ['Traceparent', 'Tracestate', 'Authorization', 'X-Csrf-Token', 'Origin', 'Proxied'];
const CLAIM = 'claimed';

describe('What only a proxy may say, said by a client,', () => {
  let backend: Backend;
  const trailers: string[][] = [];

  before(async () => {
    backend = await startBackend((request, response) => {
      request.resume().on('end', () => {
        trailers.push(request.rawTrailers);
        response.end();
      });
    });
  });
  after(() => backend[Symbol.asyncDispose]());
  beforeEach(() => {
    backend.requests.length = 0;
    trailers.length = 0;
  });

  const claimed = (raw: readonly string[]): string[] =>
    raw.filter((_, i) => i % 2 === 0 && raw[i + 1] === CLAIM);
  const headers = (): readonly string[] => backend.requests.flatMap(({ rawHeaders }) => rawHeaders);
  /** Heads have room for some only. */
  const portions = Array.from({ length: Math.ceil(SPELLED.length / 200) }, (_, i) =>
    SPELLED.slice(200 * i, 200 * (i + 1)),
  );

  it('reaches no backend in any spelling, over HTTP/1.1, in heads and in trailers', async () => {
    await using front = await startFront({ backends: [backend.url] });
    using client = await RawClient.connect(front.port, 'a.test');
    for (const [index, names] of portions.entries()) {
      const lines = [...names, ...FINE].map((name) => `${name}: ${CLAIM}\r\n`).join('');
      client.send(
        `POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n${lines}\r\n0\r\n${lines}\r\n`,
      );
      await client.until(
        'it is answered',
        ({ received }) => received.split('HTTP/1.1 200').length === index + 2,
      );
    }
    const fine = portions.flatMap(() => FINE);
    expect(claimed(headers()), `of ${SPELLED.length} in heads`).to.deep.equal(fine);
    expect(claimed(trailers.flat()), `of ${SPELLED.length} in trailers`).to.deep.equal(fine);
  });

  it('reaches no backend in any spelling, over HTTP/2, in heads and in trailers', async () => {
    await using front = await startFront({ backends: [backend.url] });
    using client = await H2Client.connect(front.port, 'a.test');
    const names = [...new Set(SPELLED.map((name) => name.toLowerCase()))];
    for (let i = 0; i < names.length; i += 200) {
      const some = [...names.slice(i, i + 200), ...FINE.map((name) => name.toLowerCase())];
      const fields = Object.fromEntries(some.map((name) => [name, CLAIM]));
      const { status } = await client.request({ ':method': 'POST', ...fields }, 'x', fields);
      expect(status).to.equal(200);
    }
    const fine = backend.requests.flatMap(() => FINE.map((name) => name.toLowerCase()));
    expect(claimed(headers()), `of ${names.length} in heads`).to.deep.equal(fine);
    expect(claimed(trailers.flat()), `of ${names.length} in trailers`).to.deep.equal(fine);
  });

  it('passes from a trusted proxy, but for what is said here in its place, and Proxy', async () => {
    await using front = await startFront({
      backends: [backend.url],
      settings: { headers: { trustedProxies: ['127.0.0.1'], via: false, forwardTlsInfo: false } },
    });
    using client = await RawClient.connect(front.port, 'a.test');
    client.send(
      `GET / HTTP/1.1\r\nHost: a.test\r\n${CLAIMED.map((name) => `${name}: ${CLAIM}\r\n`).join('')}\r\n`,
    );
    await client.until('it is answered', ({ received }) => received.includes('\r\n\r\n'));
    const passed = claimed(headers());
    const [request] = backend.requests;
    expect(CLAIMED.filter((name) => !passed.includes(name))).to.have.members([
      ...['X-Forwarded-For', 'X-Forwarded-Tls-Name', 'Forwarded', 'X-Real-IP', 'Proxy'],
    ]);
    // What it has said of them is in what is said here.
    expect(request?.headers['x-forwarded-for']).to.equal(`${CLAIM}, 127.0.0.1`);
    expect(request?.headers['x-real-ip']).to.equal('127.0.0.1');
  });

  it('is said here: the address of the client in X-Real-IP', async () => {
    await using front = await startFront({ backends: [backend.url] });
    using client = await RawClient.connect(front.port, 'a.test');
    client.send('GET / HTTP/1.1\r\nHost: a.test\r\nX-Real-IP: 10.6.6.6\r\n\r\n');
    await client.until('it is answered', ({ received }) => received.includes('\r\n\r\n'));
    const raw = headers();
    expect(raw.filter((_, i) => raw[i - 1]?.toLowerCase() === 'x-real-ip')).to.deep.equal(['127.0.0.1']);
  });
});

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
      expect(fields.get('x-real-ip')).to.equal(address);
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
