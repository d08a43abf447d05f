/**
 * What the proxy says itself: pages of errors, 100 Continue; and what it passes of trailers.
 */
import { expect } from 'chai';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { startBackend } from '../../support/backend.js';
import { request } from '../../support/client.js';
import { startFront } from '../../support/front.js';
import { H2Client } from '../../support/h2-client.js';
import { RawClient } from '../../support/raw-client.js';

describe('A page of an error', () => {
  const cases: [accept: string | undefined, type: string, body: RegExp][] = [
    [undefined, 'text/plain; charset=utf-8', /^502 Bad Gateway\nrequest ([0-9a-f]{16})\n$/],
    ['text/html,*/*;q=0.8', 'text/html; charset=utf-8', /<title>502 Bad Gateway<\/title>[^]*([0-9a-f]{16})/],
    [
      'application/json',
      'application/json',
      /^\{"status":502,"error":"Bad Gateway","request":"(\w{16})"\}\n$/,
    ],
  ];
  for (const [accept, type, expected] of cases) {
    it(`is ${type} where ${accept ?? 'nothing'} is accepted, and names the request as the log does`, async () => {
      await using front = await startFront({ backends: ['http://127.0.0.1:1'] });
      const { headers, body } = await request({
        ...{ port: front.port, name: 'a.test' },
        ...(accept !== undefined && { headers: { accept } }),
      });
      expect(headers['content-type']).to.equal(type);
      expect(body).to.match(expected);
      const lines = front.log.filter(({ msg }) => msg === 'backend failed');
      expect(lines.map(({ fields }) => fields['id'])).to.deep.equal([expected.exec(body)?.[1]]);
    });
  }

  it('that is the client’s fault is found in the log too', async () => {
    await using backend = await startBackend();
    await using front = await startFront({ backends: [backend.url] });
    const { status, body } = await request({
      ...{ port: front.port, name: 'a.test', headers: { host: 'other.example' } },
    });
    expect(status).to.equal(421);
    expect(front.log.map(({ level, msg, fields }) => [level, msg, fields['id']])).to.deep.equal([
      ['info', 'request refused', /request (\w+)/.exec(body)?.[1]],
    ]);
  });

  it('tells a browser what it has negotiated', async () => {
    await using front = await startFront({ backends: ['http://127.0.0.1:1'] });
    const headers = { accept: 'text/html' };
    const { body } = await request({ port: front.port, name: 'a.test', headers });
    expect(body).to.match(/<p>TLSv1\.3, TLS_\w+<\/p>/);
    using client = await H2Client.connect(front.port, 'a.test');
    expect((await client.request(headers)).body).to.match(/<p>TLSv1\.3, TLS_\w+, h2<\/p>/);
  });

  it('says 503 when there are several backends and none of them takes a request', async () => {
    await using front = await startFront({ backends: ['http://127.0.0.1:1', 'http://127.0.0.1:2'] });
    expect(await request({ port: front.port, name: 'a.test' })).to.include({ status: 503 });
  });
});

describe('A client that waits for 100 Continue', () => {
  const head = (host: string): string =>
    `POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n`;

  for (const [why, host, backends, status] of [
    ['its request is refused', 'other.example', undefined, 421],
    ['there is no backend', 'a.test', ['http://127.0.0.1:1'], 502],
  ] as const) {
    it(`is not asked for its body when ${why}`, async () => {
      await using backend = await startBackend();
      await using front = await startFront({ backends: backends ?? [backend.url] });
      using client = await RawClient.connect(front.port, 'a.test');
      client.send(head(host));
      await client.until('it is answered', ({ received }) => /\r\n\r\n/.test(received));
      expect(client.received).to.match(new RegExp(`^HTTP/1\\.1 ${status} `));
    });
  }

  it('with another expectation is answered 417', async () => {
    await using front = await startFront();
    using client = await RawClient.connect(front.port, 'a.test');
    client.send('GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\nExpect: tea\r\n\r\n');
    expect(await client.closed()).to.match(/^HTTP\/1\.1 417 /);
  });
});

describe('The trailers of a response', () => {
  it('come to an HTTP/1.1 client behind the last chunk, but for those that would be framing', async () => {
    await using backend = await startBackend((_, response) => {
      response.writeHead(200, { Trailer: 'X-Sum' });
      response.write('body');
      response.addTrailers({ 'X-Sum': '4' });
      response.end();
    });
    await using front = await startFront({ backends: [backend.url] });
    using client = await RawClient.connect(front.port, 'a.test');
    client.send('GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\nTE: trailers\r\n\r\n');
    expect(await client.closed()).to.match(/\r\n0\r\nx-sum: 4\r\n\r\n$/i);
  });
});

describe('An answer of a backend that Node would not write itself', () => {
  const answers: [what: string, text: string, status: number][] = [
    [
      'early hints that are none',
      'HTTP/1.1 103 X\r\nLink: nonsense\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
      200,
    ],
    ['a status line with a control character', 'HTTP/1.1 200 \x01\r\nContent-Length: 0\r\n\r\n', 502],
    ['101 that nobody has asked for', 'HTTP/1.1 101 X\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n', 502],
    ['twice the length', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Length: 1\r\n\r\n', 502],
  ];
  for (const [what, text, status] of answers) {
    it(`(${what}) is answered ${status}, and the proxy goes on`, async () => {
      const server = createServer((socket) => {
        socket.on('error', () => undefined);
        socket.on('data', () => socket.write(text, 'latin1'));
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      try {
        const { port } = server.address() as AddressInfo;
        await using front = await startFront({ backends: [`http://127.0.0.1:${port}`] });
        for (let i = 0; i < 2; i++) {
          expect(await request({ port: front.port, name: 'a.test' })).to.include({ status });
        }
      } finally {
        server.close();
      }
    });
  }
});
