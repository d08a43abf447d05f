/**
 * Checks a configuration and its surroundings without starting anything: what would keep the program from running, or clients from
 * their certificates. Nothing is written, ordered or primed, and nothing may take longer than its time.
 */
import type { Loaded } from '../config/load.js';
import type { GivenFlags } from '../config/precedence.js';
import { checkCertDir } from './cert-dir.js';
import { loadedSettings } from './configuration.js';
import { checkFiles } from './files.js';
import type { Finding } from './finding.js';
import { checkClock, checkDescriptors, descriptorLimit } from './machine.js';
import { checkPorts, type RunningProgram } from './ports.js';
import { checkManager, checkRedis } from './servers.js';
import { checkControlSocket, checkInternalCa, checkState } from './state.js';
import { checkUser } from './user.js';

export interface CheckParts {
  /** What was given of the flags … */
  readonly given: GivenFlags;
  /** … and what it comes to. */
  readonly loaded: Loaded;
  /** The control socket. */
  readonly socketPath: string;
  /** The program that answers there. */
  readonly running: RunningProgram | undefined;
  /** Why none answers, where one seems to be there. */
  readonly trouble: string | undefined;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** @returns what was found, in the order of what it is about. */
export async function checkAll(parts: CheckParts): Promise<Finding[]> {
  const { given, loaded, socketPath, running, trouble, now } = parts;
  const { settings, warnings } = loaded;
  const { redis, manager, certDir, controlSocket } = settings;
  const [files, ports, limit, ofRedis, ofManager, ofDirectory, ca, state, user, socket] = await Promise.all([
    checkFiles(given, settings),
    checkPorts(settings, running),
    descriptorLimit(),
    redis === undefined ? [] : checkRedis(redis),
    manager === undefined ? undefined : checkManager(manager, now),
    certDir === undefined ? undefined : checkCertDir(certDir, now),
    checkInternalCa(settings, now()),
    checkState(settings),
    checkUser(settings),
    checkControlSocket(socketPath, controlSocket !== undefined, running, trouble),
  ]);
  const clock = checkClock(now(), {
    ...(ofManager?.clock !== undefined && { manager: ofManager.clock }),
    ...(ofDirectory?.newestNotBeforeMs !== undefined && {
      newestNotBeforeMs: ofDirectory.newestNotBeforeMs,
    }),
  });
  return [
    ...loadedSettings(settings, warnings),
    ...files,
    ...ports,
    checkDescriptors(settings, limit),
    ...clock,
    ...(ofDirectory?.findings ?? []),
    ...ofRedis,
    ...(ofManager?.findings ?? []),
    ...ca,
    state,
    ...user,
    socket,
  ];
}
