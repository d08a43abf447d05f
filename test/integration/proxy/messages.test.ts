/**
 * What becomes of requests and responses on their way through the proxy.
 */
import { expect } from 'chai';
import type { RequestListener } from 'node:http';
import { startBackend, type Backend } from '../../support/backend.js';
import { request } from '../../support/client.js';
import { H2Client } from '../../support/h2-client.js';
import { startProgram, type Program } from '../../support/program.js';
import { RawClient } from '../../support/raw-client.js';

const listener: RequestListener = (incoming, response) => {
  switch (incoming.url) {
    case '/204':
      response.writeHead(204).end();
      return;
    case '/304':
      response.writeHead(304, { ETag: '"x"' }).end();
      return;
    case '/chunked':
      response.write('one,');
      response.end('two');
      return;
    case '/sized':
      response.writeHead(200, 'Just Fine', [
        ...['Content-Length', '5', 'X-Case', 'Kept', 'Set-Cookie', 'a=1', 'Set-Cookie', 'b=2'],
        ...['Connection', 'keep-alive, X-Hop', 'X-Hop', 'secret', 'Keep-Alive', 'timeout=77'],
      ]);
      response.end('sized');
      return;
    case '/echo':
      incoming.pipe(response);
      return;
    default:
      response.end();
  }
};

describe('A proxied message', () => {
  let backend: Backend;
  let program: Program;

  before(async () => {
    backend = await startBackend(listener);
    program = await startProgram(['--backend', backend.url]);
  });
  after(async () => {
    await program[Symbol.asyncDispose]();
    await backend[Symbol.asyncDispose]();
  });

  /** The backend's view of a request. */
  const seen = async (options: Omit<Parameters<typeof request>[0], 'port'>) => {
    const before = backend.requests.length;
    await request({ port: program.port, name: 'a.localhost', ...options });
    expect(backend.requests).to.have.length(before + 1);
    return backend.requests[before]!;
  };
  /** The answer to a request, byte for byte, on a connection that ends with it. */
  const raw = async (head: string): Promise<string> => {
    using client = await RawClient.connect(program.port, 'a.localhost');
    return await client.send(`${head}\r\nHost: a.localhost\r\nConnection: close\r\n\r\n`).closed();
  };

  it('tells the backend client, scheme and host', async () => {
    const { headers } = await seen({ name: 'shop.localhost', headers: { host: 'Shop.localhost:8443' } });
    expect(headers).to.include({
      host: 'shop.localhost:8443',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'shop.localhost:8443',
    });
  });

  it('carries none of what a client claims of its way here', async () => {
    const { headers, rawHeaders } = await seen({
      headers: {
        'X-Forwarded-For': '10.6.6.6',
        'x-forwarded-proto': 'http',
        'X-FORWARDED-HOST': 'evil.test',
        X_Forwarded_For: '10.6.6.6',
        Forwarded: 'for=10.6.6.6',
      },
    });
    expect(headers).to.include({ 'x-forwarded-for': '127.0.0.1', 'x-forwarded-proto': 'https' });
    expect(rawHeaders.join(' ')).not.to.match(/10\.6\.6\.6|evil/);
  });

  it('loses what was for one hop, and what Connection names', async () => {
    const { headers } = await seen({
      headers: {
        Connection: 'close, X-Hop',
        'X-Hop': '1',
        'Keep-Alive': 'timeout=5',
        TE: 'trailers',
        'Proxy-Authorization': 'Basic eDp5',
        'X-End': '2',
      },
    });
    expect(headers).to.include({ 'x-end': '2' });
    expect(headers).not.to.have.any.keys('x-hop', 'keep-alive', 'te', 'proxy-authorization');
  });

  it('may pass one proxy less, where it says how many (Max-Forwards), and is answered by the last one', async () => {
    const asked = async (method: string, value: string) =>
      (await seen({ method, headers: { 'Max-Forwards': value } })).headers['max-forwards'];
    for (const method of ['OPTIONS', 'TRACE']) {
      expect(await asked(method, '10'), method).to.equal('9');
      expect(await asked(method, '1'), method).to.equal('0');
      expect(await asked(method, 'ten'), method).to.equal('ten');
    }
    expect(await asked('GET', '0')).to.equal('0');
    const before = backend.requests.length;
    expect(await raw('OPTIONS * HTTP/1.1\r\nMax-Forwards: 0')).to.match(/^HTTP\/1\.1 200 /);
    expect(await raw('TRACE / HTTP/1.1\r\nMax-Forwards: 0\r\nCookie: secret')).to.match(
      /^HTTP\/1\.1 405 (?!.*secret)/s,
    );
    using h2 = await H2Client.connect(program.port, 'a.localhost');
    const last = await h2.request({ ':method': 'OPTIONS', 'max-forwards': '0' });
    expect(last).to.include({ status: 200, body: '', isWhole: true });
    expect(backend.requests).to.have.length(before);
  });

  it('keeps method, path and query as they were sent', async () => {
    const path = '/a/../b//c%2Fd?x=%20&y=[1]';
    const { method, url } = await seen({ method: 'PROPFIND', path });
    expect({ method, url }).to.deep.equal({ method: 'PROPFIND', url: path });
  });

  it('brings its status text, fields and repeated cookies back, and nothing of the backend’s hop', async () => {
    const text = await raw('GET /sized HTTP/1.1');
    expect(text).to.match(/^HTTP\/1\.1 200 Just Fine\r\n/);
    expect(text).to.include('\r\nX-Case: Kept\r\n');
    expect(text).to.include('\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n');
    expect(text).to.include('\r\nContent-Length: 5\r\n');
    expect(text).not.to.match(/x-hop|keep-alive|timeout=77|chunked/i);
    expect(text).to.match(/\r\n\r\nsized$/);
  });

  it('is chunked where the backend does not say how long it is', async () => {
    const text = await raw('GET /chunked HTTP/1.1');
    expect(text).to.include('\r\nTransfer-Encoding: chunked\r\n');
    expect(text.match(/^(?:[0-9a-f]+)\r\n(.*)\r\n/gim)).to.not.equal(null);
    const { body } = await request({ port: program.port, name: 'a.localhost', path: '/chunked' });
    expect(body).to.equal('one,two');
  });

  it('is ended by the close for an HTTP/1.0 client, who knows no chunks', async () => {
    using client = await RawClient.connect(program.port, 'a.localhost');
    const text = await client.send('GET /chunked HTTP/1.0\r\n\r\n').closed();
    expect(text).not.to.match(/transfer-encoding/i);
    expect(text).to.match(/\r\n\r\none,two$/);
  });

  it('has no body in answer to HEAD, and the length that GET would have', async () => {
    const text = await raw('HEAD /sized HTTP/1.1');
    expect(text).to.match(/^HTTP\/1\.1 200 /);
    expect(text).to.include('\r\nContent-Length: 5\r\n');
    expect(text).to.match(/\r\n\r\n$/);
    expect(await raw('HEAD /chunked HTTP/1.1')).to.match(/\r\n\r\n$/);
  });

  for (const status of [204, 304]) {
    it(`has no body and no framing with ${status}`, async () => {
      const text = await raw(`GET /${status} HTTP/1.1`);
      expect(text).to.match(new RegExp(`^HTTP/1\\.1 ${status} `));
      expect(text).not.to.match(/transfer-encoding|content-length/i);
      expect(text).to.match(/\r\n\r\n$/);
    });
  }

  it('carries a sized body and a chunked one', async () => {
    const { port } = program;
    const options = { port, name: 'a.localhost', path: '/echo', method: 'POST', body: 'hello' };
    expect((await request({ ...options, headers: { 'content-length': '5' } })).body).to.equal('hello');
    expect(backend.requests.at(-1)?.headers).to.include({ 'content-length': '5' });
    expect((await request({ ...options, headers: { 'transfer-encoding': 'chunked' } })).body).to.equal(
      'hello',
    );
    expect(backend.requests.at(-1)?.headers).to.include({ 'transfer-encoding': 'chunked' });
  });

  it('goes to the host of a target in absolute form', async () => {
    using client = await RawClient.connect(program.port, 'a.localhost');
    client.send(
      'GET https://a.localhost:8443/x?y HTTP/1.1\r\nHost: b.localhost\r\nConnection: close\r\n\r\n',
    );
    await client.closed();
    const { url, headers } = backend.requests.at(-1)!;
    expect(url).to.equal('/x?y');
    expect(headers).to.include({ host: 'a.localhost:8443', 'x-forwarded-host': 'a.localhost:8443' });
  });

  it('for another name than the handshake’s is misdirected', async () => {
    const { port } = program;
    const answer = await request({ port, name: 'a.localhost', headers: { host: 'b.localhost' } });
    expect(answer.status).to.equal(421);
  });
});
