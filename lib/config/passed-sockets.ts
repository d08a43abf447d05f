/**
 * Listening sockets that a service manager has opened, and passes to the program: sd_listen_fds(3). PURE.
 *
 * `fd:N` names one by its descriptor, whoever has passed it; `systemd:NAME` those that a socket unit gives that name
 * (`FileDescriptorName=`, without which it is the unit's own name).
 */
import type { PassedSocket } from '../domain/address.js';
import { Problem } from './parse.js';

/** The first one that is passed: before it come the three standard streams. */
const FIRST = 3;

/**
 * The sockets that a value of `--listen` means.
 *
 * @returns undefined: it is no such value.
 */
export function parsePassed(
  text: string,
  env: Readonly<Record<string, string | undefined>>,
  pid: number,
): readonly PassedSocket[] | Problem | undefined {
  const digits = /^fd:(.*)$/.exec(text)?.[1];
  if (digits !== undefined) {
    return /^\d{1,6}$/.test(digits) && Number(digits) >= FIRST
      ? [{ fd: Number(digits), text }]
      : new Problem(`must have the number of a descriptor after "fd:", ${FIRST} at the least`);
  }
  const wanted = /^systemd:(.*)$/.exec(text)?.[1];
  if (wanted === undefined) return undefined;
  const names = namesOf(env, pid);
  const found = names.flatMap((name, index) => (name === wanted ? [FIRST + index] : []));
  if (found.length === 0) {
    const passed = names.length === 0 ? 'none was passed' : `passed were ${[...new Set(names)].join(', ')}`;
    return new Problem(`must name a socket that systemd has passed (${passed})`);
  }
  // Several of one name are told apart in the log.
  return found.map((fd, index) => ({ fd, text: found.length === 1 ? text : `${text}#${index + 1}` }));
}

/** The names of what was passed, in the order of the descriptors. */
function namesOf(env: Readonly<Record<string, string | undefined>>, pid: number): string[] {
  // Meant for another process, which has left its environment to this one.
  if (env['LISTEN_PID'] !== String(pid)) return [];
  const count = Number(env['LISTEN_FDS'] ?? '');
  const names = (env['LISTEN_FDNAMES'] ?? '').split(':');
  return Number.isSafeInteger(count) && count > 0
    ? Array.from({ length: Math.min(count, 1000) }, (_, i) => names[i] ?? '')
    : [];
}
