/**
 * Errors of the system, as Node's sockets have them.
 */
import { getSystemErrorName } from 'node:util';

/** @param status negative. @param call that has failed. */
export function systemError(status: number, call: string, message?: string): NodeJS.ErrnoException {
  const code = getSystemErrorName(status);
  const { stackTraceLimit } = Error;
  // It would name Node's event loop alone, and costs as much as all else that the end of a connection does.
  Error.stackTraceLimit = 0;
  const error = new Error(message === undefined ? `${call} ${code}` : `${call} ${code}: ${message}`);
  Error.stackTraceLimit = stackTraceLimit;
  return Object.assign(error, { errno: status, code, syscall: call });
}
