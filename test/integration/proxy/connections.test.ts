/**
 * Connections of the proxy, to the client and to the backend.
 */
import { expect } from 'chai';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { writeFile } from 'node:fs/promises';
import { startBackend } from '../../support/backend.js';
import { makeTempDir, makeTestCa } from '../../support/certificates.js';
import { request } from '../../support/client.js';
import { startProgram } from '../../support/program.js';
import { RawClient } from '../../support/raw-client.js';

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a.localhost\r\n\r\n`;

describe('The connections of the proxy', () => {
  it('are kept and used again, to the client and to the backend', async () => {
    await using backend = await startBackend((incoming, response) => response.end(`at ${incoming.url}`));
    await using program = await startProgram(['--backend', backend.url]);
    using client = await RawClient.connect(program.port, 'a.localhost');
    for (const path of ['/1', '/2', '/3']) {
      client.send(get(path));
      await client.until(`${path} is answered`, ({ received }) => received.includes(`at ${path}`));
    }
    expect(backend.requests).to.have.length(3);
    expect(backend.connections).to.equal(1);
  });

  it('answer pipelined requests in their order, and ask for none before its turn', async () => {
    const seen: string[] = [];
    await using backend = await startBackend((incoming, response) => {
      seen.push(`asked ${incoming.url}`);
      setImmediate(() => {
        seen.push(`answered ${incoming.url}`);
        response.end(`at ${incoming.url};`);
      });
    });
    await using program = await startProgram(['--backend', backend.url]);
    using client = await RawClient.connect(program.port, 'a.localhost');
    client.send(get('/1') + get('/2') + get('/3'));
    await client.until('all are answered', ({ received }) => received.includes('at /3;'));
    expect(client.received.match(/at \/\d;/g)).to.deep.equal(['at /1;', 'at /2;', 'at /3;']);
    expect(seen).to.deep.equal(['/1', '/2', '/3'].flatMap((path) => [`asked ${path}`, `answered ${path}`]));
  });

  it('do not fail a request when the backend closes a kept one in the moment it is used', async () => {
    let requests = 0;
    const server = createServer((incoming, response) => {
      requests += 1;
      // The second request on the first connection: closed without an answer.
      if (requests === 2) incoming.socket.destroy();
      else response.end(`${incoming.method} answered`);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const { port } = server.address() as AddressInfo;
      await using program = await startProgram(['--backend', `http://127.0.0.1:${port}`]);
      for (const expected of [1, 3]) {
        const { status, body } = await request({ port: program.port, name: 'a.localhost' });
        expect({ status, body, requests }).to.deep.equal({
          ...{ status: 200, body: 'GET answered', requests: expected },
        });
      }
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  it('never send a request twice that changes something by being repeated', async () => {
    let requests = 0;
    await using backend = await startBackend((incoming, response) => {
      requests += 1;
      if (requests === 2) incoming.socket.destroy();
      else response.end();
    });
    await using program = await startProgram(['--backend', backend.url]);
    await request({ port: program.port, name: 'a.localhost' });
    const { status } = await request({ port: program.port, name: 'a.localhost', method: 'POST' });
    expect({ status, requests }).to.deep.equal({ status: 502, requests: 2 });
  });

  it('reach a backend on a unix socket', async () => {
    const { dir, remove } = await makeTempDir();
    try {
      await using backend = await startBackend((_, response) => response.end('by socket'), {
        socketPath: join(dir, 'backend.sock'),
      });
      await using program = await startProgram(['--backend', backend.url]);
      const { body } = await request({ port: program.port, name: 'a.localhost' });
      expect(body).to.equal('by socket');
      expect(backend.requests[0]?.headers).to.include({ host: 'a.localhost' });
    } finally {
      await remove();
    }
  });

  describe('to an https:// backend', () => {
    for (const host of ['localhost', '127.0.0.1']) {
      it(`trust what NODE_EXTRA_CA_CERTS names, for the ${host} of --backend and whatever the Host`, async () => {
        const ca = await makeTestCa();
        const pair = await ca.issue([host]);
        const { dir, remove } = await makeTempDir();
        try {
          const caPath = join(dir, 'ca.pem');
          await writeFile(caPath, ca.rootPem);
          await using backend = await startBackend((_, response) => response.end('by TLS'), {
            tls: { key: pair.keyPem, cert: pair.chainPem },
          });
          const url = backend.url.replace('127.0.0.1', host);
          await using program = await startProgram(['--backend', url], {
            env: { NODE_EXTRA_CA_CERTS: caPath },
          });
          for (const name of ['a.localhost', 'b.localhost', 'a.localhost']) {
            const { status, body } = await request({ port: program.port, name });
            expect({ status, body }).to.deep.equal({ status: 200, body: 'by TLS' });
          }
          expect(backend.requests.map(({ headers }) => headers['host'])).to.deep.equal([
            ...['a.localhost', 'b.localhost', 'a.localhost'],
          ]);
          expect(backend.connections).to.equal(1);
          expect(program.stderr).not.to.include('Warning');
        } finally {
          await remove();
        }
      });
    }

    it('are refused with 502 when nobody vouches for it', async () => {
      const pair = await (await makeTestCa()).issue(['localhost']);
      await using backend = await startBackend(undefined, {
        tls: { key: pair.keyPem, cert: pair.chainPem },
      });
      await using program = await startProgram(['--backend', backend.url]);
      const { status } = await request({ port: program.port, name: 'a.localhost' });
      expect(status).to.equal(502);
      expect(backend.requests).to.have.length(0);
      await program.logged('backend failed', { host: 'a.localhost' });
    });
  });
});
