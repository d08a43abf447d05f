/**
 * What the primary opens for the workers: the addresses that they accept on, and, to try it, the access log.
 */
import type { ListenRole } from '../bus/messages.js';
import type { Address } from '../domain/address.js';
import type { Settings } from '../config/settings.js';
import { LineSink, STDOUT } from '../log/line-sink.js';
import { bindSharedHandle, type SharedHandle } from '../net/shared-handle.js';
import { removeStaleSocket } from '../net/stale-socket.js';
import type { WorkerHandle } from './worker-process.js';

/**
 * Binds an address; a unix socket that nobody listens on any more is removed first.
 *
 * @param flagName what an error's sentence begins with.
 * @throws ProxyError ERR_ENVIRONMENT: it is in use, or not permitted, or not this machine's.
 */
export async function bind(address: Address, flagName: string): Promise<SharedHandle> {
  if ('socketPath' in address) await removeStaleSocket(address.socketPath);
  return bindSharedHandle(address, flagName);
}

/** The handles of one role, as workers get them. */
export function handlesOf(role: ListenRole, handles: readonly SharedHandle[]): WorkerHandle[] {
  return handles.map(({ native }, index) => ({ role, index, native }));
}

/**
 * Opens the access log, which only the workers write, and closes it again.
 *
 * @throws ProxyError ERR_USAGE: it cannot be written.
 */
export function tryAccessLog({ accessLog }: Pick<Settings, 'accessLog'>): void {
  if (accessLog?.file === undefined) return;
  new LineSink(accessLog.file, undefined, { fd: STDOUT, flagName: '--access-log' }).close();
}
