import { expect } from 'chai';
import { once } from 'node:events';
import { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { ServerName } from '../../../../lib/domain/server-name.js';
import { Splices } from '../../../../lib/proxy/tunnel/splice.js';
import { TcpFrontend, type OnTcpEnd, type TcpSettings } from '../../../../lib/proxy/tunnel/tcp-frontend.js';
import { Names } from '../../../../lib/net/names/names.js';
import type { ConnectionInfo } from '../../../../lib/net/connection-info.js';
import { eventually } from '../../../support/eventually.js';
import { startTcpBackend } from '../../../support/tcp-backend.js';
import { LIMITS } from '../../../support/worker-settings.js';

const INFO: ConnectionInfo = {
  scheme: 'https',
  serverName: 'a.test' as ServerName,
  tier: 'lru',
  chooseMs: 0,
  isClientKnown: true,
  client: { address: '192.0.2.7', port: 1 },
  local: { address: '192.0.2.1', port: 443 },
  listener: 0,
};

const nothing = (): void => undefined;

/** @param told of each connection that has ended. */
function frontendTo(port: number, told: Parameters<OnTcpEnd>[0][]): TcpFrontend {
  const settings: TcpSettings = {
    routes: [{ backends: [{ kind: 'tcp', address: { host: '127.0.0.1', port } }] }],
    limits: LIMITS,
    unknownName: 'serve',
    sendProxyProtocol: 'v2',
  };
  const log = { err: nothing, notice: nothing, info: nothing, debug: nothing, enabled: () => false };
  return new TcpFrontend(settings, {
    log,
    names: new Names(),
    splices: new Splices(),
    // As the access log does: what is read at the beginning is known at the end.
    onBegin: ({ protocol }) => expect(protocol).to.equal('TLSv1.3'),
    onEnd: (record) => told.push(record),
  });
}

/** A client's connection that was taken over. */
function accepted(port: number, told: Parameters<OnTcpEnd>[0][]): Socket {
  const socket = Object.assign(new Socket(), { getProtocol: () => 'TLSv1.3' });
  const client = { socket: socket as unknown as TLSSocket, info: INFO, raw: socket };
  expect(frontendTo(port, told).accept(client)).to.equal(true);
  return socket;
}

describe('A client of a TCP route', () => {
  it('that has gone when its backend is connected, and whose close is still to come, is told of once', async () => {
    await using backend = await startTcpBackend();
    const told: Parameters<OnTcpEnd>[0][] = [];
    const socket = accepted(backend.port, told);
    Object.defineProperty(socket, 'destroyed', { value: true });
    await eventually('the end is told', () => told.length > 0);
    socket.emit('close');
    expect(told.map(({ end }) => end)).to.deep.equal(['client gone']);
  });

  it('that goes before its backend is connected is told of once', async () => {
    await using backend = await startTcpBackend();
    const told: Parameters<OnTcpEnd>[0][] = [];
    const socket = accepted(backend.port, told);
    // Its end is seen before any answer of the kernel.
    socket.destroy();
    await once(socket, 'close');
    expect(told).to.have.length(1);
    expect(told[0]?.info).to.equal(INFO);
    expect(told[0]?.tls.protocol).to.equal('TLSv1.3');
    expect(told[0]).to.include({ end: 'client gone', backend: undefined, bytesSent: 0, bytesReceived: 0 });
  });
});
