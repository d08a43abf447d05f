/**
 * From an accepted connection to a TLS connection with the right certificate.
 *
 * A connection takes a slot of the limits first: over them it is closed at once. Then it is a `Handshake`'s.
 */
import type { Server } from 'node:net';
import type { ConnectionLimits } from '../net/connection-limits.js';
import { Handshake } from './handshake.js';
import type { HandshakeOptions } from './handshake-options.js';
import { acceptRaw, type RawConnection } from '../net/raw-connection.js';

export type { FailedHandshake } from './failed-handshake.js';
export type { Asker, ChosenCertificate } from './handshake-options.js';

export interface ListenerOptions extends HandshakeOptions {
  /** Shared with the other listeners of the worker. */
  readonly limits: ConnectionLimits;
}

/**
 * Makes `server`, which is not listening yet, hand over TLS connections. Returns the set of connections that are open, whatever
 * their state; the `close` event of the server does not wait for them.
 */
export function terminateTls(server: Server, options: ListenerOptions): ReadonlySet<RawConnection> {
  const open = new Set<RawConnection>();
  acceptRaw(server, (raw) => {
    const client = raw.remote;
    const slot = options.limits.admit(client.address);
    if (slot === undefined) raw.destroy();
    else new Handshake(raw, client, { options, slot, open }).start();
  });
  return open;
}
