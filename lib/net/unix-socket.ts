/**
 * Whether somebody listens on a unix socket.
 */
import { connect } from 'node:net';
import { codeOf } from '../domain/errors.js';

/**
 * Connects for a moment. @returns undefined: somebody accepts; else the code of the failure, `ECONNREFUSED` where a file is left that
 * nobody listens on. Never rejects; a program whose queue is full lets it wait.
 */
export function connectFailure(socketPath: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    const settle = (code: string | undefined): void => {
      socket.destroy();
      resolve(code);
    };
    socket.once('connect', () => settle(undefined));
    socket.once('error', (error) => settle(codeOf(error) ?? 'unknown'));
  });
}
