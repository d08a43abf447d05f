/**
 * What the primary opens for the workers: the addresses that they accept on, and, to try it, the access log.
 */
import { statSync } from 'node:fs';
import type { ListenRole } from '../bus/messages.js';
import type { Address, PassedSocket } from '../domain/address.js';
import type { Settings } from '../config/settings.js';
import { isIpv6Alone } from '../domain/wildcard-address.js';
import { LineSink, STDOUT } from '../log/line-sink.js';
import { adoptSharedHandle, bindSharedHandle, type SharedHandle } from '../net/shared-handle.js';
import { removeStaleSocket } from '../net/stale-socket.js';
import type { WorkerHandle } from './worker-process.js';

/** More than workers take to start. */
const PIPE_HELD_MS = 30_000;

/** The addresses that are listened on, for TLS and for plain HTTP. */
export class Listeners {
  #tls: SharedHandle[] = [];
  #http: SharedHandle[] = [];

  /**
   * Binds every address. Those that are bound when one cannot be stay bound until `close`.
   *
   * @throws ProxyError ERR_ENVIRONMENT: one is in use, or not permitted, or not this machine's.
   */
  async open({ listen, httpListen }: Pick<Settings, 'listen' | 'httpListen'>): Promise<void> {
    const all = [...listen, ...httpListen];
    for (const address of listen) this.#tls.push(await bind(address, all, '--listen'));
    for (const address of httpListen) this.#http.push(await bind(address, all, '--http-listen'));
  }

  /** The addresses for TLS, with the real ports. */
  get addresses(): readonly Address[] {
    return this.#tls.map(({ address }) => address);
  }

  /** The addresses for plain HTTP, with the real ports. */
  get httpAddresses(): readonly Address[] {
    return this.#http.map(({ address }) => address);
  }

  /** All of them, as workers get them. */
  get handles(): WorkerHandle[] {
    return [...handlesOf('tls', this.#tls), ...handlesOf('http', this.#http)];
  }

  close(): void {
    for (const handle of [...this.#tls, ...this.#http]) handle.close();
    this.#tls = [];
    this.#http = [];
  }
}

/** Binds an address; a unix socket that nobody listens on any more is removed first. */
async function bind(
  address: Address | PassedSocket,
  all: readonly (Address | PassedSocket)[],
  flagName: string,
): Promise<SharedHandle> {
  if ('fd' in address) return adoptSharedHandle(address, flagName);
  if ('socketPath' in address) await removeStaleSocket(address.socketPath);
  return bindSharedHandle(address, flagName, isIpv6Alone(address, all));
}

function handlesOf(role: ListenRole, handles: readonly SharedHandle[]): WorkerHandle[] {
  return handles.map(({ native }, index) => ({ role, index, native }));
}

/**
 * Opens the access log, which only the workers write, and closes it again; a pipe when they have opened it. Who reads from that ends
 * with the last who writes to it.
 *
 * @throws ProxyError as of `fileError`: it cannot be written.
 */
export function tryAccessLog({ accessLog }: Pick<Settings, 'accessLog'>): void {
  if (accessLog?.file === undefined) return;
  const sink = new LineSink(accessLog.file, undefined, { fd: STDOUT, flagName: '--access-log' });
  if (statSync(accessLog.file).isFIFO()) setTimeout(() => sink.close(), PIPE_HELD_MS).unref();
  else sink.close();
}
