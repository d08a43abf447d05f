/**
 * Listening handles that the primary holds and every worker accepts on.
 *
 * The cluster module's own shared handle is closed when the last worker is gone: connections would be refused for
 * 50 to 80 ms after a crash, and port 0 would move. So the primary binds the address and sends the handle to each worker;
 * the kernel hands each connection to one of them. Once a worker has listened, the socket listens for as long as the primary
 * has it open, and queues connections while there is no worker. The primary itself never accepts: it must not call
 * `listen`, which would make it take connections that nobody answers.
 *
 * Node has no documented way to bind without accepting. `net._createServerHandle` and `Server._listen2` are what the
 * cluster module itself uses; they are the same from Node 20 to 26, and used only here.
 */
import { chmodSync } from 'node:fs';
import net from 'node:net';
import { addressText, type Address, type PassedSocket } from '../domain/address.js';
import { environmentError } from '../domain/errors.js';
import { PROBE_DELAY_MS } from './keep-alive.js';

/** A bound listening handle. What `worker.send(message, handle)` takes. */
export interface SharedHandle {
  /** With the real port. */
  readonly address: Address;
  /** Node's native handle: opaque. */
  readonly native: unknown;
  close(): void;
}

interface NativeHandle {
  /** Not on a unix socket. */
  getsockname?(out: { address?: string; port?: number }): number;
  /** Not on a unix socket, like the next one. */
  setNoDelay?(on: boolean): number;
  setKeepAlive?(on: boolean, delaySeconds: number): number;
  close(): void;
}

interface NetInternals {
  /** Port and type -1: the address is the path of a unix socket. */
  _createServerHandle(
    address: string | null,
    port: number,
    addressType: 4 | 6 | -1,
    fd: number | undefined,
    flags: number,
  ): NativeHandle | number;
}

interface ServerInternals {
  _handle: unknown;
  _listen2(address: null, port: number, addressType: number, backlog: number): void;
}

/** The kernel caps it at `net.core.somaxconn`; nginx's default is 511 too. */
const BACKLOG = 511;

/** As nginx has it: everybody may connect, as to a port. The permissions of the directory can restrict that. */
const SOCKET_MODE = 0o666;

/** `UV_TCP_IPV6ONLY`. */
const IPV6_ALONE = 1;

/**
 * Binds an address in the primary. Closing it removes a unix socket's file.
 *
 * @param flagName what an error's sentence begins with.
 * @param ipv6Alone whether a socket on `[::]` leaves IPv4 to another one.
 * @throws ProxyError ERR_ENVIRONMENT: the address is in use, or not permitted, or not this machine's.
 */
export function bindSharedHandle(address: Address, flagName = '--listen', ipv6Alone = false): SharedHandle {
  const internals = net as unknown as NetInternals;
  const created =
    'socketPath' in address
      ? internals._createServerHandle(address.socketPath, -1, -1, undefined, 0)
      : internals._createServerHandle(
          address.host,
          address.port,
          net.isIPv6(address.host) ? 6 : 4,
          undefined,
          ipv6Alone ? IPV6_ALONE : 0,
        );
  if (typeof created === 'number') throw listenError(address, flagName, created);
  // libuv reports a port in use with the next call on the handle: with this one, since the primary does not listen.
  const name: { address?: string; port?: number } = {};
  const failure = created.getsockname?.(name) ?? 0;
  if (failure !== 0) {
    created.close();
    throw listenError(address, flagName, failure);
  }
  if ('socketPath' in address) chmodSync(address.socketPath, SOCKET_MODE);
  return {
    address: 'socketPath' in address ? address : { host: address.host, port: name.port ?? address.port },
    native: created,
    close: () => created.close(),
  };
}

/**
 * Takes a socket that the process was given at its start, listening as a rule. While whoever has given it has it open too, it queues
 * connections that come between two runs of the program.
 *
 * @throws ProxyError ERR_ENVIRONMENT: it is no TCP socket, or nothing was given under that descriptor.
 */
export function adoptSharedHandle({ fd, text }: PassedSocket, flagName = '--listen'): SharedHandle {
  const internals = net as unknown as NetInternals;
  const name: { address?: string; port?: number } = {};
  const created = internals._createServerHandle(null, 0, -1, fd, 0);
  // A unix socket does not say where it is.
  const isTcp = typeof created !== 'number' && created.getsockname?.(name) === 0;
  if (!isTcp || name.address === undefined || name.port === undefined) {
    throw environmentError(
      `${flagName} ${text}: descriptor ${fd} is no TCP socket that was passed to the program`,
    );
  }
  return {
    address: { host: name.address, port: name.port },
    native: created,
    close: () => created.close(),
  };
}

/**
 * In a worker: makes a server accept on a handle that came from the primary.
 *
 * Its connections send at once and are probed. Linux gives a connection the options of the socket that it was accepted on: that saves
 * five system calls for each.
 */
export function listenOnHandle(server: net.Server, native: unknown): void {
  const handle = native as NativeHandle;
  handle.setNoDelay?.(true);
  handle.setKeepAlive?.(true, PROBE_DELAY_MS / 1000);
  const internals = server as unknown as ServerInternals;
  internals._handle = native;
  internals._listen2(null, -1, -1, BACKLOG);
}

/** Where a handle is bound, for a log line. */
export function addressOfHandle(native: unknown): string {
  const handle = native as NativeHandle;
  // A unix socket does not say where it is.
  if (handle.getsockname === undefined) return 'unix';
  const name: { address?: string; port?: number } = {};
  handle.getsockname(name);
  return addressText({ host: name.address ?? 'unknown', port: name.port ?? 0 });
}

function listenError(address: Address, flagName: string, errno: number): Error {
  const reasons = new Map([
    [-98, 'the address is in use by another program'],
    [
      -13,
      'socketPath' in address
        ? // libuv gives this error for a missing directory too.
          'there is no such directory, or no permission to make the socket in it'
        : 'no permission (ports below 1024 need root or CAP_NET_BIND_SERVICE)',
    ],
    [-99, 'the address does not belong to this machine'],
  ]);
  const reason = reasons.get(errno) ?? `system error ${errno}`;
  return environmentError(`${flagName} ${addressText(address)}: ${reason}`);
}
