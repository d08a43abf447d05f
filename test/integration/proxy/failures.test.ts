/**
 * A backend or a client that goes away, early answers, and what the other side gets to know of it.
 */
import { expect } from 'chai';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import type { IncomingMessage } from 'node:http';
import { startBackend } from '../../support/backend.js';
import { unusedPort } from '../../support/unused-port.js';
import { request } from '../../support/client.js';
import { eventually } from '../../support/eventually.js';
import { startProgram } from '../../support/program.js';
import { RawClient } from '../../support/raw-client.js';

const head = (method: string, ...fields: string[]): string =>
  [`${method} / HTTP/1.1`, 'Host: a.localhost', ...fields, '', ''].join('\r\n');

/** More than all the buffers on its way. */
const UPLOAD_BYTES = 20 * 1024 ** 2;

describe('When the backend', () => {
  it('refuses connections, the client gets a plain 502 and the log says why', async () => {
    const port = await unusedPort();
    await using program = await startProgram(['--backend', `http://127.0.0.1:${port}`]);
    const options = { port: program.port, name: 'a.localhost' };
    for (const upload of [{}, { method: 'POST', body: 'x'.repeat(200_000) }]) {
      const { status, headers, body } = await request({ ...options, ...upload });
      expect(status).to.equal(502);
      expect(body).to.match(/^502 Bad Gateway\nrequest [0-9a-f]{16}\n$/);
      expect(headers['content-type']).to.equal('text/plain; charset=utf-8');
    }
    const line = await program.logged('backend failed', { host: 'a.localhost' });
    expect(line['error']).to.include('ECONNREFUSED');
  });

  it('closes before its head, the client gets 502 and may go on with the same connection', async () => {
    let isBroken = true;
    await using backend = await startBackend((incoming, response) => {
      if (isBroken) incoming.socket.resetAndDestroy();
      else response.end('mended');
    });
    await using program = await startProgram(['--backend', backend.url]);
    using client = await RawClient.connect(program.port, 'a.localhost');
    client.send(head('GET'));
    await client.until('the page is there', ({ received }) =>
      /502 Bad Gateway\nrequest \w+\n$/.test(received),
    );
    isBroken = false;
    client.send(head('GET'));
    await client.until('the next answer is there', ({ received }) => received.endsWith('mended'));
  });

  it('talks nonsense, the client gets 502', async () => {
    const server = createServer((socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n').resume());
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const { port } = server.address() as AddressInfo;
      await using program = await startProgram(['--backend', `http://127.0.0.1:${port}`]);
      const { status } = await request({ port: program.port, name: 'a.localhost' });
      expect(status).to.equal(502);
    } finally {
      server.close();
    }
  });

  for (const framing of ['sized', 'chunked'] as const) {
    it(`breaks off a ${framing} body, the connection of the client is cut: no whole answer is made up`, async () => {
      await using backend = await startBackend((incoming, response) => {
        if (framing === 'sized') response.setHeader('Content-Length', 1000);
        response.write('half', () => incoming.socket.resetAndDestroy());
      });
      await using program = await startProgram(['--backend', backend.url]);
      using client = await RawClient.connect(program.port, 'a.localhost');
      const received = await client.send(head('GET')).closed();
      expect(received).to.match(/^HTTP\/1\.1 200 /);
      expect(received).not.to.match(/\r\n0\r\n\r\n$|502/);
      await program.logged('backend failed');
    });
  }

  it('answers an upload early, the answer arrives whole and then the connection ends', async () => {
    await using backend = await startBackend((_, response) => {
      response.writeHead(413, { 'Content-Length': 9 }).end('too large');
    });
    await using program = await startProgram(['--backend', backend.url]);
    using client = await RawClient.connect(program.port, 'a.localhost');
    // Simple clients do not look for an answer before they have sent everything.
    await client.sendAll(`${head('POST', `Content-Length: ${UPLOAD_BYTES}`)}${'x'.repeat(UPLOAD_BYTES)}`);
    const received = await client.closed();
    expect(received).to.match(/^HTTP\/1\.1 413 /);
    expect(received).to.match(/\r\nConnection: close\r\n/i);
    expect(received).to.match(/too large$/);
    expect(program.log.filter(({ level }) => level === 'err')).to.deep.equal([]);
  });

  it('needs no more than the head of an upload, 100 Continue lets the client send the body', async () => {
    await using backend = await startBackend((incoming, response) => void incoming.pipe(response));
    await using program = await startProgram(['--backend', backend.url]);
    using client = await RawClient.connect(program.port, 'a.localhost');
    client.send(head('POST', 'Content-Length: 4', 'Expect: 100-continue'));
    await client.until('it may go on', ({ received }) => received === 'HTTP/1.1 100 Continue\r\n\r\n');
    client.send('body');
    await client.until('the echo is there', ({ received }) => received.includes('\r\n4\r\nbody\r\n'));
    expect(backend.requests[0]?.headers).not.to.have.any.keys('expect');
  });
});

describe('When the client goes away', () => {
  const cases: [when: string, send: string][] = [
    ['while it waits for the head', head('GET')],
    ['in the middle of its upload', `${head('POST', 'Content-Length: 1000')}half`],
  ];
  for (const [when, send] of cases) {
    it(`${when}, the backend gets to know, and no error is logged`, async () => {
      const requests: IncomingMessage[] = [];
      await using backend = await startBackend((incoming) => requests.push(incoming));
      await using program = await startProgram(['--backend', backend.url]);
      using client = await RawClient.connect(program.port, 'a.localhost');
      client.send(send);
      await eventually('the backend has it', () => requests.length === 1);
      client.socket.destroy();
      await eventually('the backend knows', () => requests[0]?.socket.destroyed === true);
      expect(program.log.filter(({ level }) => level === 'err')).to.deep.equal([]);
    });
  }

  it('while a body is streamed to it, the backend gets to know', async () => {
    let isStopped = false;
    await using backend = await startBackend((_, response) => {
      const timer = setInterval(() => response.write('tick'), 10);
      response.on('close', () => {
        clearInterval(timer);
        isStopped = true;
      });
    });
    await using program = await startProgram(['--backend', backend.url]);
    using client = await RawClient.connect(program.port, 'a.localhost');
    client.send(head('GET'));
    await client.until('the body has begun', ({ received }) => received.includes('tick'));
    client.socket.destroy();
    await eventually('the backend has stopped', () => isStopped);
    expect(program.log.filter(({ level }) => level === 'err')).to.deep.equal([]);
  });
});
