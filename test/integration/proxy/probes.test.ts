/**
 * Connections whose other end may be gone without a word: the kernel probes them all.
 */
import type { Socket } from 'node:net';
import { expect } from 'chai';
import { Names } from '../../../lib/net/names/names.js';
import { startBackend, type Backend } from '../../support/backend.js';
import { makeTestCa } from '../../support/certificates.js';
import { connectTls, request } from '../../support/client.js';
import { eventually } from '../../support/eventually.js';
import { startFront } from '../../support/front.js';
import { startH2Backend } from '../../support/h2-backend.js';
import { plainPort } from '../../support/plain-client.js';
import { startProgram } from '../../support/program.js';
import { ask, upstreamOf } from '../../support/raw-upstream.js';
import { startTcpBackend } from '../../support/tcp-backend.js';
import { isProbed } from '../../support/tcp-probes.js';
import { EchoClient, echoWebSockets } from '../../support/web-socket.js';
import { connect } from 'node:net';
import { once } from 'node:events';

/** The end of the proxy, of a connection that somebody else has the other end of. */
async function proxysEndIsProbed(socket: Pick<Socket, 'localPort' | 'remotePort'>): Promise<void> {
  const end = { port: socket.remotePort ?? 0, peerPort: socket.localPort ?? 0 };
  await eventually('the connection is probed', () => isProbed(end));
}

/** The connections that a backend accepts from now on. */
function socketsOf({ server }: Pick<Backend, 'server'>): Socket[] {
  const sockets: Socket[] = [];
  server.on('connection', (socket: Socket) => sockets.push(socket));
  return sockets;
}

function only(sockets: readonly Socket[]): Socket {
  const [socket] = sockets;
  if (socket === undefined || sockets.length > 1) throw new Error(`${sockets.length} connections`);
  return socket;
}

describe('TCP probes are sent on a connection', () => {
  it('of a client that speaks TLS', async () => {
    await using program = await startProgram();
    const socket = await connectTls({ port: program.port, servername: 'a.test' });
    await proxysEndIsProbed(socket);
    socket.destroy();
  });

  it('of a client that speaks plain HTTP', async () => {
    await using program = await startProgram(['--http-listen', '127.0.0.1:0']);
    const socket = connect(plainPort(program), '127.0.0.1');
    await once(socket, 'connect');
    await proxysEndIsProbed(socket);
    socket.destroy();
  });

  for (const host of ['127.0.0.1', 'b.test']) {
    const found = { kind: 'found', addresses: ['127.0.0.3', '127.0.0.1'], ttlMs: 60_000 } as const;
    const names = new Names({ lookUp: () => Promise.resolve(found) });

    it(`to a backend over HTTP at ${host}`, async () => {
      await using backend = await startBackend();
      const sockets = socketsOf(backend);
      const upstream = upstreamOf(backend.url.replace('127.0.0.1', host), {}, { names });
      expect((await ask(upstream).over).status).to.equal(200);
      await proxysEndIsProbed(only(sockets));
      await upstream.close();
    });

    it(`to a backend over HTTPS at ${host}`, async () => {
      const ca = await makeTestCa();
      const pair = await ca.issue([host]);
      await using backend = await startBackend(undefined, { tls: { key: pair.keyPem, cert: pair.chainPem } });
      const sockets = socketsOf(backend);
      const url = backend.url.replace('127.0.0.1', host);
      const upstream = upstreamOf(url, {}, { names, caPem: ca.rootPem });
      expect((await ask(upstream).over).status).to.equal(200);
      await proxysEndIsProbed(only(sockets));
      await upstream.close();
    });

    it(`to a backend over HTTP/2 at ${host}`, async () => {
      await using backend = await startH2Backend((stream) => stream.respond({ ':status': 204 }));
      const url = backend.url.replace('127.0.0.1', host);
      await using front = await startFront({ backends: [url], backendNames: names });
      await request({ port: front.port, name: 'a.test' });
      const [session] = backend.sessions;
      if (session === undefined) throw new Error('there is no session');
      await proxysEndIsProbed(session.socket);
    });

    it(`to a backend over TCP at ${host}`, async () => {
      await using backend = await startTcpBackend();
      await using front = await startFront({
        settings: { routes: [{ backends: [{ kind: 'tcp', address: { host, port: backend.port } }] }] },
        backendNames: names,
      });
      const client = await connectTls({ port: front.port, servername: 'a.test' });
      await proxysEndIsProbed((await backend.connection()).socket);
      client.destroy();
    });

    it(`to a backend that has upgraded it at ${host}`, async () => {
      await using backend = await startBackend();
      echoWebSockets(backend);
      const sockets = socketsOf(backend);
      const url = backend.url.replace('127.0.0.1', host);
      await using front = await startFront({ backends: [url], backendNames: names });
      await using client = await EchoClient.connect(front.port, 'a.test');
      expect(await client.echo('hello')).to.equal('hello');
      await proxysEndIsProbed(only(sockets));
    });
  }
});
