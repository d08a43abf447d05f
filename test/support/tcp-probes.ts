/**
 * Whether the kernel probes a connection (SO_KEEPALIVE), from its own table of them.
 */
import { readFile } from 'node:fs/promises';

/** One end of a connection on IPv4, by its own port and that of its peer. */
export interface ConnectionEnd {
  readonly port: number;
  readonly peerPort: number;
}

/** Whether the timer that runs for this end is that of its probes. Data that is not acknowledged yet hides it. */
export async function isProbed({ port, peerPort }: ConnectionEnd): Promise<boolean> {
  const table = await readFile('/proc/net/tcp', 'utf8');
  const [own, peer] = [port, peerPort].map((one) => one.toString(16).toUpperCase().padStart(4, '0'));
  const row = table.split('\n').find((line) => new RegExp(`^ *\\d+: \\w+:${own} \\w+:${peer} `).test(line));
  // `sl local remote state queues timer:when …`: 2 is the timer of probes (proc(5), Documentation/networking/proc_net_tcp.rst).
  return row?.trim().split(/\s+/)[5]?.startsWith('02:') === true;
}
