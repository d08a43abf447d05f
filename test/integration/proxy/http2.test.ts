/**
 * HTTP/2 to clients.
 */
import { expect } from 'chai';
import { once } from 'node:events';
import type { RequestListener, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { startBackend, type Backend } from '../../support/backend.js';
import { connectTls } from '../../support/client.js';
import { eventually } from '../../support/eventually.js';
import { startFront, type Front } from '../../support/front.js';
import { H2Client, responseOf } from '../../support/h2-client.js';

const MIB = 1024 ** 2;

const listener: RequestListener = (incoming, response) => {
  switch (incoming.url) {
    case '/204':
    case '/304':
      response.writeHead(Number(incoming.url.slice(1))).end();
      return;
    case '/echo':
      incoming.pipe(response);
      return;
    case '/trailers':
      response.writeHead(200, { Trailer: 'X-Sum', 'X-Case': 'Kept', Connection: 'X-Hop', 'X-Hop': '1' });
      response.write('body');
      response.addTrailers({ 'X-Sum': '4' });
      response.end();
      return;
    case '/hints':
      response.writeEarlyHints({ link: '</style.css>; rel=preload' });
      response.end('hinted');
      return;
    case '/cut':
      response.write('half', () => response.destroy());
      return;
    case '/early':
      response.writeHead(413, { Trailer: 'X-Sum' });
      response.write('too large');
      response.addTrailers({ 'X-Sum': '9' });
      response.end();
      return;
    default:
      response.writeHead(200, {
        'Set-Cookie': ['a=1', 'b=2'],
        'Content-Length': `answer to ${incoming.url}`.length,
      });
      response.end(`answer to ${incoming.url}`);
  }
};

describe('An HTTP/2 client', () => {
  let backend: Backend;
  let front: Front;

  before(async () => {
    backend = await startBackend(listener);
    front = await startFront({ backends: [backend.url] });
  });
  after(async () => {
    await front[Symbol.asyncDispose]();
    await backend[Symbol.asyncDispose]();
  });
  const last = (): Backend['requests'][number] => backend.requests.at(-1)!;

  it('is preferred where a client can both, and HTTP/1.1 is there for the others', async () => {
    const cases: [offered: string[], chosen: string | false][] = [
      [['http/1.1', 'h2'], 'h2'],
      [['http/1.1'], 'http/1.1'],
      [[], false],
    ];
    for (const [ALPNProtocols, chosen] of cases) {
      const socket = await connectTls({ port: front.port, servername: 'a.test', ALPNProtocols });
      expect(socket.alpnProtocol).to.equal(chosen);
      socket.destroy();
    }
  });

  it('is answered, request after request and many at once, on one connection', async () => {
    using client = await H2Client.connect(front.port, 'a.test');
    const paths = Array.from({ length: 100 }, (_, i) => `/${i}`);
    const answers = await Promise.all(paths.map((path) => client.request({ ':path': path })));
    expect(answers.map(({ body }) => body)).to.deep.equal(paths.map((path) => `answer to ${path}`));
    expect(answers[0]?.headers['set-cookie']).to.deep.equal(['a=1', 'b=2']);
    expect(answers.every(({ status, isWhole }) => status === 200 && isWhole)).to.equal(true);
  });

  it('has its authority as Host, its crumbs of cookies as one field, and no pseudo fields, with the backend', async () => {
    using client = await H2Client.connect(front.port, 'a.test');
    await client.request({
      ...{ ':authority': 'a.test:8443', cookie: ['a=1', 'b=2', 'c=3'], 'x-a': '1', te: 'trailers' },
    });
    const { rawHeaders, headers } = last();
    expect(headers).to.include({
      ...{ host: 'a.test:8443', cookie: 'a=1; b=2; c=3', 'x-a': '1' },
      ...{ 'x-forwarded-proto': 'https', 'x-forwarded-host': 'a.test:8443' },
    });
    expect(rawHeaders.join(' ')).not.to.match(/:path|:method|:scheme|te trailers/);
  });

  it('gets no body with 204, 304 and HEAD, and the end of the stream', async () => {
    using client = await H2Client.connect(front.port, 'a.test');
    for (const status of [204, 304]) {
      const answer = await client.request({ ':path': `/${status}` });
      expect(answer).to.include({ status, body: '', isWhole: true });
    }
    const answer = await client.request({ ':method': 'HEAD', ':path': '/x' });
    expect(answer).to.include({ status: 200, body: '', isWhole: true });
    expect(answer.headers).to.include({ 'content-length': '12' });
  });

  it('sends bodies, with a length and without', async () => {
    using client = await H2Client.connect(front.port, 'a.test');
    const headers = { ':method': 'POST', ':path': '/echo' };
    expect(await client.request(headers, 'without')).to.include({ body: 'without' });
    expect(last().headers).to.include({ 'transfer-encoding': 'chunked' });
    expect(await client.request({ ...headers, 'content-length': '4' }, 'with')).to.include({ body: 'with' });
    expect(last().headers).to.include({ 'content-length': '4' });
    const stream = client.open(headers, { isOpen: true });
    Readable.from(Array.from({ length: 20 }, () => Buffer.alloc(MIB, 'x'))).pipe(stream);
    expect((await responseOf(stream)).body).to.have.length(20 * MIB);
  });

  it('gets trailers and early hints, and nothing of the backend’s hop', async () => {
    using client = await H2Client.connect(front.port, 'a.test');
    const answer = await client.request({ ':path': '/trailers' });
    expect(answer).to.include({ body: 'body', isWhole: true });
    expect(answer.trailers).to.include({ 'x-sum': '4' });
    expect(answer.headers).to.include({ 'x-case': 'Kept' });
    expect(answer.headers).not.to.have.any.keys('connection', 'x-hop', 'transfer-encoding', 'keep-alive');
    const { hints, body } = await client.request({ ':path': '/hints' });
    expect(body).to.equal('hinted');
    expect(hints.map((hint) => [hint[':status'], hint['link']])).to.deep.equal([
      [103, '</style.css>; rel=preload'],
    ]);
  });

  it('sees a body that the backend breaks off as a stream that is cut', async () => {
    using client = await H2Client.connect(front.port, 'a.test');
    const answer = await client.request({ ':path': '/cut' });
    expect(answer).to.include({ status: 200, isWhole: false });
    // The connection goes on.
    expect(await client.request({ ':path': '/x' })).to.include({ body: 'answer to /x' });
  });

  it('gets an early answer whole, and is told to stop its upload', async () => {
    using client = await H2Client.connect(front.port, 'a.test');
    const stream = client.open({ ':method': 'POST', ':path': '/early' }, { isOpen: true });
    const pump = (): void => {
      if (!stream.destroyed && stream.writable) stream.write(Buffer.alloc(65_536), pump);
    };
    pump();
    const answer = await responseOf(stream);
    expect(answer).to.include({ status: 413, body: 'too large' });
    expect(answer.trailers).to.include({ 'x-sum': '9' });
    expect(await client.request({ ':path': '/x' })).to.include({ body: 'answer to /x' });
  });

  it('waits for 100 Continue where it asks for it', async () => {
    using client = await H2Client.connect(front.port, 'a.test');
    const stream = client.open(
      { ':method': 'POST', ':path': '/echo', expect: '100-continue' },
      { isOpen: true },
    );
    stream.once('continue', () => stream.end('body'));
    expect(await responseOf(stream)).to.include({ status: 200, body: 'body' });
  });

  it('gets pages of ours, with the id that is in the log, by what it accepts', async () => {
    await using dead = await startFront({ backends: ['http://127.0.0.1:1'] });
    using client = await H2Client.connect(dead.port, 'a.test');
    const { status, body, headers } = await client.request({ accept: 'application/json' });
    expect(status).to.equal(502);
    expect(headers['content-type']).to.equal('application/json');
    const page = JSON.parse(body) as { request: string };
    expect(dead.log[0]?.fields).to.include({ id: page.request });
  });

  describe('is refused', () => {
    const cases: [what: string, headers: Record<string, string | string[]>, status: number][] = [
      ['with a Host that contradicts its authority', { host: 'b.test' }, 400],
      ['with a malformed authority', { ':authority': 'a.test:x' }, 400],
      ['with a name that its connection is not for', { ':authority': 'other.example' }, 421],
      ['under the admin prefix', { ':path': '/.peter_sslers/x' }, 404],
    ];
    for (const [what, headers, status] of cases) {
      it(`${what}: ${status}`, async () => {
        const before = backend.requests.length;
        using client = await H2Client.connect(front.port, 'a.test');
        expect(await client.request(headers)).to.include({ status });
        expect(backend.requests).to.have.length(before);
      });
    }

    it('with CONNECT: 405', async () => {
      using client = await H2Client.connect(front.port, 'a.test');
      const stream = client.session.request({ ':method': 'CONNECT', ':authority': 'a.test:443' });
      expect(await responseOf(stream)).to.include({ status: 405 });
    });
  });

  it('may ask for another name that the certificate of its connection covers', async () => {
    using client = await H2Client.connect(front.port, 'a.test');
    expect(await client.request({ ':authority': 'b.test' })).to.include({ status: 200 });
    expect(last().headers).to.include({ host: 'b.test' });
  });

  it('that gives a request up lets the backend know', async () => {
    const gone: string[] = [];
    await using slow = await startBackend((incoming, response) => {
      response.on('close', () => gone.push(incoming.url ?? ''));
      if (incoming.url === '/body') response.write('begun');
    });
    await using other = await startFront({ backends: [slow.url] });
    using client = await H2Client.connect(other.port, 'a.test');
    for (const path of ['/head', '/body']) {
      const stream = client.open({ ':path': path });
      if (path === '/body') await once(stream, 'response');
      await eventually('the backend has it', () => slow.requests.some(({ url }) => url === path));
      stream.close(8);
      await eventually('the backend knows', () => gone.includes(path));
    }
    expect(other.log.filter(({ level }) => level === 'err')).to.deep.equal([]);
  });

  it('that reads slowly makes the backend wait', async () => {
    let sent = 0;
    await using big = await startBackend((_, response) => {
      const pump = (): void => {
        while (sent < 200 * MIB && !response.destroyed) {
          sent += MIB;
          if (!response.write(Buffer.alloc(MIB))) {
            response.once('drain', pump);
            return;
          }
        }
      };
      pump();
    });
    await using other = await startFront({ backends: [big.url] });
    using client = await H2Client.connect(other.port, 'a.test');
    const stream = client.open();
    await once(stream, 'response');
    await eventually('the backend is held up', async () => {
      const earlier = sent;
      await new Promise((resolve) => setTimeout(resolve, 300));
      return sent === earlier;
    });
    expect(sent).to.be.below(50 * MIB);
  });

  it('without a request for a while is told to go', async () => {
    await using other = await startFront({ backends: [backend.url], limits: { idleTimeoutMs: 200 } });
    using client = await H2Client.connect(other.port, 'a.test');
    await client.request();
    await once(client.session, 'goaway');
  });

  it('whose request takes longer than an idle connection is kept is waited for', async () => {
    let answer: ServerResponse | undefined;
    await using slow = await startBackend((_, response) => (answer = response));
    await using other = await startFront({ backends: [slow.url], limits: { idleTimeoutMs: 50 } });
    using client = await H2Client.connect(other.port, 'a.test');
    const response = client.request();
    await eventually('the backend has it', () => answer !== undefined);
    await new Promise((resolve) => setTimeout(resolve, 200));
    answer?.end('late');
    expect(await response).to.include({ status: 200, body: 'late' });
  });

  it('finishes what is under way when the proxy drains, and hears GOAWAY', async () => {
    let answer: ServerResponse | undefined;
    await using slow = await startBackend((_, response) => (answer = response));
    await using other = await startFront({ backends: [slow.url] });
    using client = await H2Client.connect(other.port, 'a.test');
    const response = client.request();
    await eventually('the backend has it', () => answer !== undefined);
    const goaway = once(client.session, 'goaway');
    other.frontend.drain(0);
    await goaway;
    answer?.end('finished');
    expect(await response).to.include({ status: 200, body: 'finished', isWhole: true });
    await eventually('the connection is closed', () => client.session.destroyed);
  });
});
