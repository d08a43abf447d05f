/**
 * Connections without TLS: each takes its slot of the limits, and is handed over with the addresses of its PROXY
 * header where its peer must send one.
 */
import type { Server, Socket } from 'node:net';
import { plainAddress, type ConnectionInfo } from './connection-info.js';
import type { ConnectionLimits, ConnectionSlot } from './connection-limits.js';
import { destroyOnError } from './destroy-on-error.js';
import { namesClient, parseProxyHeader } from './proxy-protocol-parser.js';

export interface PlainListenerOptions {
  /** Which `--http-listen` this is, from 0. */
  readonly index: number;
  /** Shared with the other listeners of the worker. */
  readonly limits: ConnectionLimits;
  /** Whether the connections of this peer begin with a PROXY header. */
  sendsProxyHeader(peer: string): boolean;
  /** How long a peer may take over its PROXY header. */
  headerTimeoutMs(): number;
  onConnection(socket: Socket, info: ConnectionInfo): void;
}

/** Makes `server` hand over plain connections. Returns the set of connections that are open. */
export function acceptPlain(server: Server, options: PlainListenerOptions): ReadonlySet<Socket> {
  const open = new Set<Socket>();
  server.on('connection', (socket) => {
    const client = { address: plainAddress(socket.remoteAddress), port: socket.remotePort ?? 0 };
    const local = { address: plainAddress(socket.localAddress), port: socket.localPort ?? 0 };
    const slot = options.limits.admit(client.address);
    if (slot === undefined) {
      socket.destroy();
      return;
    }
    open.add(socket);
    socket.once('close', () => {
      open.delete(socket);
      slot.release();
    });
    destroyOnError(socket);
    if (options.sendsProxyHeader(client.address)) awaitHeader(socket, { client, local }, slot, options);
    else handOver(socket, { client, local, isClientKnown: true }, slot, options);
  });
  return open;
}

type Peers = Pick<ConnectionInfo, 'client' | 'local' | 'isClientKnown'>;

function handOver(socket: Socket, peers: Peers, slot: ConnectionSlot, options: PlainListenerOptions): void {
  if (!slot.claim(peers.client.address)) {
    socket.destroy();
    return;
  }
  give(socket, peers, options);
}

function give(socket: Socket, peers: Peers, options: PlainListenerOptions): void {
  options.onConnection(socket, { scheme: 'http', chooseMs: 0, ...peers, listener: options.index });
}

function awaitHeader(
  socket: Socket,
  own: Pick<Peers, 'client' | 'local'>,
  slot: ConnectionSlot,
  options: PlainListenerOptions,
): void {
  let received = Buffer.alloc(0);
  const timer = setTimeout(() => socket.destroy(), options.headerTimeoutMs());
  const stop = (): void => clearTimeout(timer);
  const onEnd = (): void => void socket.destroy();
  const onData = (chunk: Buffer): void => {
    received = Buffer.concat([received, chunk]);
    const header = parseProxyHeader(received);
    if (header.kind === 'incomplete') return;
    if (header.kind === 'invalid') {
      socket.destroy();
      return;
    }
    stop();
    socket.off('close', stop);
    socket.off('end', onEnd);
    // Pause before the bytes are put back: otherwise they are emitted without a listener, and lost.
    socket.pause();
    socket.off('data', onData);
    const rest = received.subarray(header.consumedBytes);
    if (rest.length > 0) socket.unshift(rest);
    const told = header.peers;
    const isClientKnown = namesClient(header);
    // A proxy that speaks for itself (a health check) takes no slot of a client.
    if (told === undefined) give(socket, { ...own, isClientKnown }, options);
    else handOver(socket, { client: told.source, local: told.destination, isClientKnown }, slot, options);
    socket.resume();
  };
  socket.on('data', onData);
  socket.on('end', onEnd);
  socket.on('close', stop);
}
