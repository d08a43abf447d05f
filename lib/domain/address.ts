/**
 * Where something listens or is connected to. PURE.
 */

/** A TCP address or a unix socket. */
export type Address =
  | {
      /** An IPv4 or IPv6 address, without brackets; a backend may have a host name. */
      readonly host: string;
      /** 0 lets the system choose. */
      readonly port: number;
    }
  | { readonly socketPath: string };

/** A listening socket that the process was given at its start, by its descriptor. */
export interface PassedSocket {
  readonly fd: number;
  /** As the setting has it: `fd:3`, `systemd:https`. */
  readonly text: string;
}

/** `127.0.0.1:8443`, `[::1]:8443` or `unix:/path`: as `--listen` takes it. */
export function addressText(address: Address | PassedSocket): string {
  if ('fd' in address) return address.text;
  if ('socketPath' in address) return `unix:${address.socketPath}`;
  return `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;
}

/** As `connect` of `node:net` and `node:tls` takes it. */
export function connectOptions(address: Address): { host: string; port: number } | { path: string } {
  return 'socketPath' in address ? { path: address.socketPath } : address;
}

/** Whether only programs of this machine can connect to it. Everybody on the machine may: a unix socket counts as open. */
export function isLoopback(address: Address): boolean {
  if ('socketPath' in address) return false;
  return address.host.startsWith('127.') || address.host === '::1';
}
