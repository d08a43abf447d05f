/**
 * Sends a message to the service manager by `systemd-notify`, which is part of systemd.
 *
 * It waits until the manager has read the message, which must be able to tell whose process has sent it. That is a process of the
 * unit's, but not its main one: the unit needs `NotifyAccess=all`.
 */
import { execFile, type ExecFileException } from 'node:child_process';
import type { SendToServiceManager } from './service-manager.js';

const PROGRAM = 'systemd-notify';
/** It gives up by itself after five seconds. */
const DEADLINE_MS = 8_000;

export const sendBySystemdNotify: SendToServiceManager = (lines) =>
  new Promise((resolve, reject) => {
    execFile(
      PROGRAM,
      [...lines],
      { timeout: DEADLINE_MS, killSignal: 'SIGKILL' },
      (error, _stdout, stderr) => {
        if (error === null) resolve();
        else reject(new Error(reasonOf(error, stderr), { cause: error }));
      },
    );
  });

function reasonOf(error: ExecFileException, stderr: string): string {
  if (error.code === 'ENOENT') return `there is no ${PROGRAM} in PATH (it is part of systemd)`;
  if (error.killed === true) return `${PROGRAM} has not ended within ${DEADLINE_MS / 1000} s`;
  return stderr.trim() === '' ? `${PROGRAM}: ${error.message}` : `${PROGRAM}: ${stderr.trim()}`;
}
