/**
 * Who stands still is given up: a backend with 504, a client with 408, or by a cut where the response has begun.
 */
import { expect } from 'chai';
import type { RequestListener } from 'node:http';
import { startBackend } from '../../support/backend.js';
import { request, type Response } from '../../support/client.js';
import { eventually } from '../../support/eventually.js';
import { startFront, type FrontOptions } from '../../support/front.js';
import { RawClient } from '../../support/raw-client.js';

async function getThrough(
  listener: RequestListener,
  limits: FrontOptions['limits'] = {},
): Promise<{ response: Response | Error; logged: string[] }> {
  await using backend = await startBackend(listener);
  await using front = await startFront({ backends: [backend.url], limits });
  const response = await request({ port: front.port, name: 'a.test' }).catch(
    (error: unknown) => error as Error,
  );
  const logged = front.log.map(({ level, msg, fields }) => `${level} ${msg} ${JSON.stringify(fields)}`);
  return { response, logged };
}

const head = (...fields: string[]): string =>
  ['POST / HTTP/1.1', 'Host: a.test', ...fields, '', ''].join('\r\n');

describe('A backend', () => {
  it('that is mute is given up with 504', async () => {
    const { response, logged } = await getThrough(() => undefined, { backendHeadersTimeoutMs: 50 });
    expect(response).to.include({ status: 504 });
    expect(response)
      .to.have.property('body')
      .that.matches(/^504 Gateway Timeout\n/);
    expect(logged).to.have.length(1);
    expect(logged[0]).to.match(
      /^err backend failed .*--backend-headers-timeout: the backend does not answer/,
    );
  });

  it('that stops in the middle of a body is given up, the client cut off', async () => {
    const half: RequestListener = (_, response) => void response.write('half');
    const { response } = await getThrough(half, { backendBodyTimeoutMs: 50 });
    expect(response).to.be.instanceOf(Error);
  });

  it('that is only slow is waited for', async () => {
    const slow: RequestListener = (_, response) => void setTimeout(() => response.end('late'), 100);
    const { response } = await getThrough(slow);
    expect(response).to.include({ status: 200, body: 'late' });
  });
});

describe('A client', () => {
  it('that sends no more of its body is answered 408, and the backend gets to know', async () => {
    let isGone = false;
    await using backend = await startBackend((incoming) => incoming.on('close', () => (isGone = true)));
    await using front = await startFront({ backends: [backend.url], limits: { bodyTimeoutMs: 100 } });
    using client = await RawClient.connect(front.port, 'a.test');
    const received = await client.send(`${head('Content-Length: 10')}half`).closed();
    expect(received).to.match(/^HTTP\/1\.1 408 /);
    expect(received).to.match(/\r\nConnection: close\r\n/i);
    await eventually('the backend knows', () => isGone);
    expect(front.log.map(({ level, msg }) => `${level} ${msg}`)).to.deep.equal(['info client given up']);
  });

  it('that is silent in an open request is not cut off from a response that goes on', async () => {
    await using backend = await startBackend((incoming, response) => {
      incoming.resume();
      let count = 0;
      const timer = setInterval(() => {
        response.write('x');
        if (++count < 20) return;
        clearInterval(timer);
        response.end();
      }, 50);
    });
    await using front = await startFront({ backends: [backend.url], limits: { bodyTimeoutMs: 300 } });
    using client = await RawClient.connect(front.port, 'a.test');
    const received = await client.send(`${head('Transfer-Encoding: chunked')}1\r\na\r\n`).closed();
    expect(received.match(/\r\nx\r\n/g)).to.have.length(20);
    expect(received).to.match(/\r\n0\r\n\r\n$/);
  });

  it('that sends on and on is not cut off where the response has begun, and goes on when it has ended', async () => {
    await using backend = await startBackend((incoming, response) => {
      response.write('begun');
      incoming.resume().on('end', () => response.end('ended'));
    });
    await using front = await startFront({
      backends: [backend.url],
      limits: { backendBodyTimeoutMs: 300 },
    });
    using client = await RawClient.connect(front.port, 'a.test');
    client.send(head('Content-Length: 20', 'Connection: close'));
    const timer = setInterval(() => client.send('x'), 50);
    const received = await client.closed().finally(() => clearInterval(timer));
    expect(received).to.contain('begun').and.to.contain('ended');
  });

  it('that sends its body slowly but surely is waited for', async () => {
    await using backend = await startBackend((incoming, response) => void incoming.pipe(response));
    await using front = await startFront({ backends: [backend.url], limits: { bodyTimeoutMs: 500 } });
    using client = await RawClient.connect(front.port, 'a.test');
    client.send(head('Content-Length: 10', 'Connection: close'));
    const timer = setInterval(() => client.send('x'), 100);
    const received = await client.closed().finally(() => clearInterval(timer));
    expect(received.split('\r\n\r\n')[1]?.match(/x/g)).to.have.length(10);
  });

  it('that takes no more of a response is cut off, and the backend gets to know', async () => {
    let isGone = false;
    await using backend = await startBackend((_, response) => {
      response.on('close', () => (isGone = true));
      response.end(Buffer.alloc(64 * 1024 * 1024));
    });
    await using front = await startFront({ backends: [backend.url], limits: { bodyTimeoutMs: 200 } });
    using client = await RawClient.connect(front.port, 'a.test');
    client.socket.pause();
    client.send('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n');
    await eventually('the backend knows', () => isGone);
    expect(front.log.map(({ fields }) => fields['reason'])).to.deep.equal([
      'the client takes no more of the response',
    ]);
  });

  it('that is slow over its head is answered 408', async () => {
    await using front = await startFront({ limits: { headerTimeoutMs: 100 } });
    using client = await RawClient.connect(front.port, 'a.test');
    const received = await client.send('GET / HTTP/1.1\r\nHost:').closed();
    expect(received).to.match(/^HTTP\/1\.1 408 /);
  });

  it('that has opened a connection and asks nothing is closed without a word', async () => {
    await using front = await startFront({ limits: { headerTimeoutMs: 100 } });
    using client = await RawClient.connect(front.port, 'a.test');
    expect(await client.closed()).to.equal('');
  });

  it('that asks nothing more on a kept connection is closed', async () => {
    await using backend = await startBackend();
    await using front = await startFront({ backends: [backend.url], limits: { idleTimeoutMs: 100 } });
    using client = await RawClient.connect(front.port, 'a.test');
    const received = await client.send('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n').closed();
    expect(received).to.match(/^HTTP\/1\.1 200 /);
  });

  for (const lines of ['\r\n', '\r\n\r\n', '\r'])
    it(`that ends its request with ${JSON.stringify(lines)} too much, and asks nothing more, is closed without a word`, async () => {
      await using backend = await startBackend();
      await using front = await startFront({
        backends: [backend.url],
        limits: { idleTimeoutMs: 100, headerTimeoutMs: 5_000 },
      });
      using client = await RawClient.connect(front.port, 'a.test');
      const received = await client.send(`${head('Content-Length: 1')}x${lines}`).closed();
      expect(received.match(/HTTP\/1\.1 \d+/g)).to.deep.equal(['HTTP/1.1 200']);
    });

  it('that sends a head above the limit is answered 431', async () => {
    await using front = await startFront({ limits: { maxHeaderBytes: 2_000 } });
    using client = await RawClient.connect(front.port, 'a.test');
    const received = await client
      .send(`GET / HTTP/1.1\r\nHost: a.test\r\nX: ${'x'.repeat(2_000)}\r\n\r\n`)
      .closed();
    expect(received).to.match(/^HTTP\/1\.1 431 /);
  });
});
