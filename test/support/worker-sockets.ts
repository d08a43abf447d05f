/**
 * What a process has open, from the kernel.
 */
import { readdir, readlink } from 'node:fs/promises';

/** How many sockets a process has open, of whatever kind. */
export async function countSockets(pid: number): Promise<number> {
  const dir = `/proc/${pid}/fd`;
  const links = await Promise.all(
    (await readdir(dir)).map((fd) => readlink(`${dir}/${fd}`).catch(() => '')), // closed meanwhile
  );
  return links.filter((link) => link.startsWith('socket:')).length;
}

/** Waits until a process has this many sockets open; says how many there are if that does not come about. */
export async function untilSockets(pid: number, count: number, timeoutMs = 10_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const open = await countSockets(pid);
    if (open === count) return;
    if (Date.now() > deadline) throw new Error(`${open} sockets are open, not ${count}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
