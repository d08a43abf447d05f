import { expect } from 'chai';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { examine } from '../../../lib/domain/examination.js';
import { defer } from '../../../lib/base/deferred.js';
import { HandshakeIds } from '../../../lib/tls/handshake-ids.js';
import { buildContext } from '../../../lib/tls/secure-context.js';
import type { TlsClientSocket } from '../../../lib/net/client-socket.js';
import type { RawConnection } from '../../../lib/net/raw-connection.js';
import type { ConnectionInfo } from '../../../lib/net/connection-info.js';
import { ConnectionLimits } from '../../../lib/net/connection-limits.js';
import {
  terminateTls,
  type ChosenCertificate,
  type FailedHandshake,
  type ListenerOptions,
} from '../../../lib/tls/terminate.js';
import { makeTestCa } from '../../support/certificates.js';
import { connectTls, handshake } from '../../support/client.js';
import { clientHello12, RawClient, readFlight } from '../../support/raw-tls.js';
import { listenerOptions } from './listener-options.js';

describe('The TLS listener', () => {
  let choice: ChosenCertificate;
  let server: Server;
  let open: ReadonlySet<RawConnection>;
  let port: number;
  let choose: ListenerOptions['choose'];
  let timeoutMs: number;
  let expectsHeader: boolean;
  let rejectsUnknown: boolean;
  let choosesByAddress: boolean;
  let perClient: number;
  let limits: ConnectionLimits;
  const asked: { name: string | undefined; client: string }[] = [];
  const ids: string[] = [];
  const failures: FailedHandshake[] = [];
  const secured: { socket: TlsClientSocket; info: ConnectionInfo }[] = [];

  before(async () => {
    const verdict = examine([await (await makeTestCa()).issue(['a.test'])], undefined, Date.now());
    if (verdict.kind !== 'usable') throw new Error(verdict.reason);
    choice = { context: buildContext(verdict.bundle), tier: 'lru' };
  });

  beforeEach(async () => {
    choose = () => choice;
    timeoutMs = 60_000;
    expectsHeader = false;
    rejectsUnknown = false;
    choosesByAddress = false;
    perClient = 100;
    limits = new ConnectionLimits({
      limits: () => ({ maxConnections: 100, maxConnectionsPerClient: perClient }),
      now: () => 0,
      onRefused: () => undefined,
    });
    for (const list of [asked, ids, failures, secured]) list.length = 0;
    server = createServer();
    open = terminateTls(server, {
      ...listenerOptions,
      ids: new HandshakeIds(40),
      choose: (name, asker, hello) => {
        asked.push({ name, client: asker.address });
        ids.push(asker.handshake);
        return choose(name, asker, hello);
      },
      handshakeTimeoutMs: () => timeoutMs,
      sendsProxyHeader: () => expectsHeader,
      rejectsUnknownNames: () => rejectsUnknown,
      choosesByAddress: () => choosesByAddress,
      limits,
      onSecure: (socket, info) => {
        secured.push({ socket, info });
        socket.on('error', () => undefined);
        socket.on('end', () => socket.end());
        socket.resume();
      },
      onFailure: (failure) => failures.push(failure),
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    ({ port } = server.address() as AddressInfo);
  });

  afterEach(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });

  it('asks with the normalised name and the address of the client', async () => {
    await handshake({ port, servername: 'A.Test.' });
    await handshake({ port });
    expect(asked).to.deep.equal([
      { name: 'a.test', client: '127.0.0.1' },
      { name: undefined, client: '127.0.0.1' },
    ]);
  });

  it('asks with the local address where there is no name, if there may be certificates for addresses', async () => {
    choosesByAddress = true;
    await handshake({ port, servername: 'a.test' });
    await handshake({ port });
    await handshake({ port, servername: 'no name' });
    expect(asked.map(({ name }) => name)).to.deep.equal(['a.test', '127.0.0.1', '127.0.0.1']);
    expect(secured.map(({ info }) => info.serverName)).to.deep.equal(['a.test', undefined, undefined]);
  });

  it('takes the local address that a PROXY header tells', async () => {
    choosesByAddress = true;
    expectsHeader = true;
    using client = await RawClient.connect(port);
    client.socket.write('PROXY TCP6 2001:db8::1 2001:0DB8:0::00:2 1000 443\r\n');
    client.socket.write(clientHello12({}));
    await until(() => asked.length === 1);
    expect(asked).to.deep.equal([{ name: '2001:db8::2', client: '2001:db8::1' }]);
  });

  it('hands over a connection with what is known of it', async () => {
    const client = await connectTls({ port, servername: 'a.test' });
    await until(() => secured.length === 1);
    const [{ socket, info } = {}] = secured;
    expect(info).to.include({ serverName: 'a.test', tier: 'lru' });
    expect(info?.chooseMs).to.be.at.least(0);
    expect(info?.client).to.deep.equal({ address: '127.0.0.1', port: client.localPort });
    expect(info?.local).to.deep.equal({ address: '127.0.0.1', port });
    expect(socket?.destroyed).to.equal(false);
    client.destroy();
  });

  it('gives each connection an id: for who chooses its certificate, who gets it, and who hears of its failure', async () => {
    await handshake({ port, servername: 'a.test' });
    using client = await RawClient.connect(port);
    client.socket.write('junk');
    await client.closed;
    await handshake({ port, servername: 'b.test' });
    await until(() => failures.length === 1 && secured.length === 2);
    expect(ids).to.deep.equal(['14-1', '14-3']);
    expect(secured.map(({ info }) => info.handshake)).to.deep.equal(['14-1', '14-3']);
    expect(failures.map(({ handshake: id }) => id)).to.deep.equal(['14-2']);
  });

  it('counts a connection as open from its first moment to its last', async () => {
    const raw = await RawClient.connect(port);
    await until(() => open.size === 1);
    const client = await connectTls({ port, servername: 'a.test' });
    expect(open.size).to.equal(2);
    raw[Symbol.dispose]();
    await until(() => open.size === 1);
    client.destroy();
    await until(() => open.size === 0);
  });

  it('reports one failure a connection, whatever comes after it', async () => {
    const beforeMs = performance.now();
    using client = await RawClient.connect(port);
    client.socket.write('junk');
    client.socket.write('more of it');
    await client.closed;
    await until(() => open.size === 0);
    const { startedAtMs = NaN, ...failure } = failures[0] ?? {};
    expect(failures).to.have.length(1);
    expect(failure).to.deep.equal({
      ...{ handshake: '14-1', reason: 'not-tls', detail: 'not TLS', client: '127.0.0.1', isSilent: false },
    });
    expect(startedAtMs).to.be.within(beforeMs, performance.now());
    expect(asked).to.deep.equal([]);
  });

  it('waits for a certificate as long as its choice takes, with no clock running', async () => {
    const late = defer<ChosenCertificate>();
    choose = () => late.promise;
    timeoutMs = 600;
    const waiting = handshake({ port, servername: 'a.test' });
    await until(() => asked.length === 1);
    using silent = await RawClient.connect(port);
    await silent.closed;
    // A busy machine may be slow over the rest, which is not what this is about.
    timeoutMs = 10_000;
    late.resolve(choice);
    expect((await waiting).names).to.equal('a.test');
    expect(failures.map(({ reason }) => reason)).to.deep.equal(['timeout']);
    await until(() => secured.length === 1);
    expect(secured[0]?.info.chooseMs).to.be.greaterThan(100);
  });

  it('starts the clock again when the certificate is there', async () => {
    const late = defer<ChosenCertificate>();
    choose = () => late.promise;
    using client = await RawClient.connect(port);
    await client.send(clientHello12({ serverName: 'a.test' }));
    await until(() => asked.length === 1);
    timeoutMs = 150;
    late.resolve(choice);
    await client.closed;
    expect(client.received.length).to.be.greaterThan(0);
    expect(failures.map(({ reason }) => reason)).to.deep.equal(['timeout']);
  });

  it('survives a client that has gone when its certificate comes', async () => {
    const late = defer<ChosenCertificate>();
    choose = () => late.promise;
    const client = await RawClient.connect(port);
    await client.send(clientHello12({ serverName: 'a.test' }));
    await until(() => asked.length === 1);
    client.socket.resetAndDestroy();
    await client.closed;
    late.resolve(choice);
    await until(() => open.size === 0);
    expect(failures).to.have.length(1);
    expect(secured).to.deep.equal([]);
  });

  it('may be drained while a certificate is chosen', async () => {
    const late = defer<ChosenCertificate>();
    choose = () => late.promise;
    using client = await RawClient.connect(port);
    await client.send(clientHello12({ serverName: 'a.test' }));
    await until(() => asked.length === 1);
    for (const socket of open) socket.destroy();
    await until(() => open.size === 0);
    late.resolve(choice);
    await client.closed;
    expect(failures.map(({ reason }) => reason)).to.deep.equal(['closed']);
  });

  it('reads bytes that came with the ClientHello and after it', async () => {
    // A whole TLS 1.2 flight behind the ClientHello: OpenSSL must see it, and refuse it.
    using client = await RawClient.connect(port);
    const finished = Buffer.from([0x16, 3, 3, 0, 4, 20, 0, 0, 0]);
    await client.send(Buffer.concat([clientHello12({ serverName: 'a.test' }), finished]));
    await client.closed;
    expect(failures.map(({ reason }) => reason)).to.deep.equal(['tls-error']);
  });

  describe('for a peer that sends the PROXY protocol', () => {
    const HEADER = 'PROXY TCP4 192.0.2.1 203.0.113.5 12345 443\r\n';
    const hello = clientHello12({ serverName: 'a.test' });

    beforeEach(() => (expectsHeader = true));

    it('takes the addresses of the header, byte by byte or together with the ClientHello', async () => {
      const bytes = Buffer.concat([Buffer.from(HEADER), hello]);
      const ways = [
        [bytes],
        [...bytes].map((byte) => Buffer.from([byte])),
        [Buffer.from(HEADER), hello],
        [bytes.subarray(0, HEADER.length + 1), bytes.subarray(HEADER.length + 1)],
      ];
      for (const pieces of ways) {
        using client = await RawClient.connect(port);
        await client.send(...pieces);
        await client.until((received) => readFlight(received).certificate !== undefined);
        expect(readFlight(client.received).certificate?.subjectAltName).to.equal('DNS:a.test');
      }
      expect(asked).to.deep.equal(ways.map(() => ({ name: 'a.test', client: '192.0.2.1' })));
    });

    it('hands the addresses over with the connection', async () => {
      const raw = await RawClient.connect(port);
      raw.socket.removeAllListeners('data');
      raw.socket.write(HEADER);
      const client = await connectTls({ port, socket: raw.socket, servername: 'a.test' });
      await until(() => secured.length === 1);
      expect(secured[0]?.info.client).to.deep.equal({ address: '192.0.2.1', port: 12345 });
      expect(secured[0]?.info.local).to.deep.equal({ address: '203.0.113.5', port: 443 });
      client.destroy();
    });

    it('refuses a connection without the header', async () => {
      using client = await RawClient.connect(port);
      await client.send(hello);
      await client.closed;
      expect(failures.map(({ reason }) => reason)).to.deep.equal(['no-proxy-header']);
    });

    it('gives the header no more time than the handshake', async () => {
      timeoutMs = 50;
      using client = await RawClient.connect(port);
      await client.send(Buffer.from('PROXY TCP4 192.'));
      await client.closed;
      expect(failures.map(({ reason }) => reason)).to.deep.equal(['timeout']);
    });

    it('counts the clients that the header names, and not the proxy', async () => {
      perClient = 1;
      const others = [1, 2, 3].map(async (n) => {
        const client = await RawClient.connect(port);
        await client.send(Buffer.from(HEADER.replace('192.0.2.1', `192.0.2.${n}`)));
        return client;
      });
      const clients = await Promise.all(others);
      await until(() => open.size === 3);
      using again = await RawClient.connect(port);
      await again.send(Buffer.from(HEADER));
      await again.closed;
      expect(failures.map(({ reason }) => reason)).to.deep.equal(['too-many-connections']);
      for (const client of clients) client[Symbol.dispose]();
    });
  });

  it('takes a PROXY header from nobody else', async () => {
    using client = await RawClient.connect(port);
    await client.send(Buffer.from('PROXY TCP4 192.0.2.1 203.0.113.5 12345 443\r\n'));
    await client.closed;
    expect(failures.map(({ reason }) => reason)).to.deep.equal(['not-tls']);
  });

  it('answers a name without a certificate with an alert, where that is asked for', async () => {
    rejectsUnknown = true;
    for (const [tier, serverName, alert] of [
      ['default', 'a.test', 112],
      ['default', 'not a name', 112],
      ['default', undefined, undefined],
      ['lru', 'a.test', undefined],
    ] as const) {
      choose = () => ({ ...choice, tier });
      using client = await RawClient.connect(port);
      await client.send(clientHello12(serverName === undefined ? {} : { serverName }));
      await client.until((received) => Object.keys(readFlight(received)).length > 0);
      expect(readFlight(client.received).alert, `${tier} ${serverName}`).to.equal(alert);
    }
  });

  it('closes a connection over the limit of its client at once, and leaves the others', async () => {
    perClient = 1;
    using first = await RawClient.connect(port);
    await until(() => open.size === 1);
    using second = await RawClient.connect(port);
    await second.closed;
    expect(failures.map(({ reason }) => reason)).to.deep.equal(['too-many-connections']);
    first[Symbol.dispose]();
    await until(() => open.size === 0);
    expect((await handshake({ port, servername: 'a.test' })).names).to.equal('a.test');
  });

  async function until(holds: () => boolean): Promise<void> {
    const deadline = Date.now() + 5_000;
    while (!holds()) {
      if (Date.now() > deadline) throw new Error('it has not come about');
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }
});
