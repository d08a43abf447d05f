/**
 * From an accepted connection to a TLS connection with the right certificate.
 *
 * A connection takes its place in the limits first: over them it is closed at once. Then it is a `Handshake`'s.
 */
import type { Server, Socket } from 'node:net';
import { plainAddress } from './connection-info.js';
import type { ConnectionLimits } from './connection-limits.js';
import { Handshake, type HandshakeOptions } from './handshake.js';

export type { Choice, HandshakeFailure } from './handshake.js';

export interface ListenerOptions extends HandshakeOptions {
  /** Shared with the other listeners of the worker. */
  readonly limits: ConnectionLimits;
}

/** Makes `server` hand over TLS connections. Returns the set of connections that are open, whatever their state. */
export function terminateTls(server: Server, options: ListenerOptions): ReadonlySet<Socket> {
  const open = new Set<Socket>();
  server.on('connection', (raw) => {
    const place = options.limits.admit(plainAddress(raw.remoteAddress));
    if (place === undefined) {
      raw.destroy();
      return;
    }
    new Handshake(raw, options, place, open).start();
  });
  return open;
}
