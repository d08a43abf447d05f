/**
 * Heads on HTTP/2 that are too large, or have an odd status: in both directions.
 */
import { expect } from 'chai';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { startBackend, type Backend } from '../../support/backend.js';
import { startFront, type Front } from '../../support/front.js';
import { H2Client } from '../../support/h2-client.js';
import { RawClient } from '../../support/raw-client.js';
import { startRecordingBackend } from '../../support/recording-backend.js';

const NAME = 'a.test';

/** As many fields as make up so many bytes. */
const fieldsOf = (count: number, bytes: number): Record<string, string> =>
  Object.fromEntries(
    Array.from({ length: count }, (_, i) => [
      `x-${i}`,
      'y'.repeat(Math.floor(bytes / count) - `x-${i}`.length),
    ]),
  );

describe('The head of a request on HTTP/2', () => {
  let backend: Backend;
  let front: Front;
  beforeEach(async () => {
    backend = await startBackend((_, response) => response.end('hello'));
    front = await startFront({ backends: [backend.url] });
  });
  afterEach(async () => {
    await front[Symbol.asyncDispose]();
    await backend[Symbol.asyncDispose]();
  });

  const TOO_LARGE: [what: string, fields: Record<string, string>][] = [
    ['20 KB', fieldsOf(1, 20_000)],
    ['60 KB', fieldsOf(10, 60_000)],
    ['600 fields', fieldsOf(600, 12_000)],
    ['1,200 fields', fieldsOf(1_200, 24_000)],
  ];
  for (const [what, fields] of TOO_LARGE) {
    it(`of ${what} is answered 431, and so is the fourth one`, async () => {
      using client = await H2Client.connect(front.port, NAME);
      for (let i = 0; i < 4; i++)
        expect(await client.request(fields)).to.include({ status: 431, isWhole: true });
      expect(await client.request()).to.include({ status: 200 });
      expect(backend.requests).to.have.length(1);
    });
  }

  for (const http2Engine of ['own', 'node'] as const) {
    it(`with a path above the limit is answered 431, on the engine '${http2Engine}'`, async () => {
      // One that takes a head of any size.
      await using taker = await startRecordingBackend();
      await using other = await startFront({ backends: [taker.url], settings: { http2Engine } });
      using client = await H2Client.connect(other.port, NAME);
      expect(await client.request({ ':path': `/${'p'.repeat(20_000)}` })).to.include({ status: 431 });
      expect(await client.request({ ':path': `/${'p'.repeat(10_000)}` })).to.include({ status: 200 });
      expect(taker.requests).to.have.length(1);
    });
  }

  it('above the limit is answered 431 the four hundredth time as well', async () => {
    using client = await H2Client.connect(front.port, NAME);
    const fields = fieldsOf(1, 20_000);
    const statuses = new Set<number>();
    for (let i = 0; i < 400; i++) statuses.add((await client.request(fields)).status);
    expect([...statuses]).to.deep.equal([431]);
    expect(client.session.destroyed).to.equal(false);
  });

  it('of as many fields as we take is served, though HTTP/2 counts 32 octets more for each', async () => {
    using client = await H2Client.connect(front.port, NAME);
    // The settings hold once the client has acknowledged them.
    expect(await client.request()).to.include({ status: 200 });
    expect(await client.request(fieldsOf(500, 15_000))).to.include({ status: 200 });
  });
});

describe('The head of a response on HTTP/2', () => {
  const heads = new Map([
    ['/large', `HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A: ${'y'.repeat(70_000)}\r\n\r\nok`],
    ['/204', 'HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n'],
    [
      '/103',
      'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nContent-Length: 3\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
    ],
  ]);
  let backend: Server;
  let front: Front;
  before(async () => {
    backend = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (bytes: Buffer) => {
        const path = /^GET (\S+)/.exec(bytes.toString('latin1'))?.[1] ?? '';
        socket.write(heads.get(path) ?? `HTTP/1.1 ${path.slice(1)} Odd\r\nContent-Length: 2\r\n\r\nok`);
      });
    }).listen(0, '127.0.0.1');
    await once(backend, 'listening');
    front = await startFront({ backends: [`http://127.0.0.1:${(backend.address() as AddressInfo).port}`] });
  });
  after(async () => {
    await front[Symbol.asyncDispose]();
    backend.close();
  });

  it('that is too large is a 502 and logged, and the connection goes on', async () => {
    using client = await H2Client.connect(front.port, NAME);
    expect(await client.request({ ':path': '/large' })).to.include({ status: 502, isWhole: true });
    expect(await client.request({ ':path': '/200' })).to.include({ status: 200 });
    const line = front.log.find(({ level }) => level === 'err');
    expect(JSON.stringify(line)).to.include('too large for HTTP/2');
  });

  it('has no length where its status has none', async () => {
    using client = await H2Client.connect(front.port, NAME);
    const { headers, ...answer } = await client.request({ ':path': '/204' });
    expect(answer).to.include({ status: 204, isWhole: true });
    expect(headers).not.to.have.property('content-length');
    const { hints, ...hinted } = await client.request({ ':path': '/103' });
    expect(hinted).to.include({ status: 200, body: 'ok', isWhole: true });
    expect(hints[0]).to.include({ ':status': 103, link: '</a>' }).and.not.have.property('content-length');
  });

  // RFC 9110 §15: one outside of 100 to 599 is invalid.
  const STATUSES: [sent: string, got: number][] = [
    ['299', 299],
    ['599', 599],
    ['600', 502],
    ['999', 502],
    ['099', 502],
    ['000', 502],
  ];
  for (const [sent, got] of STATUSES) {
    it(`with the status ${sent} is a ${got}, as it is on HTTP/1.1`, async () => {
      using client = await H2Client.connect(front.port, NAME);
      expect(await client.request({ ':path': `/${sent}` })).to.include({ status: got, isWhole: true });
      using other = await RawClient.connect(front.port, NAME);
      other.send(`GET /${sent} HTTP/1.1\r\nHost: ${NAME}\r\n\r\n`);
      await other.until('it is answered', ({ received }) => received.includes('\r\n\r\n'));
      expect(other.received).to.match(new RegExp(`^HTTP/1.1 ${got} `));
    });
  }
});
