/**
 * Asks a running program over its control socket: HTTP on a unix socket, plain JSON.
 */
import { request } from 'node:http';
import { requestOf, type Call, type OperationName, type Operations } from '../admin/operations.js';
import { codeOf, describeError, environmentError } from '../domain/errors.js';
import type { Ask } from './command.js';

/** An operation may ask sources and make handshakes; a reload waits for every worker. */
const TIMEOUT_MS = 60_000;
const MAX_REASON = 300;

export function controlClient(socketPath: string): Ask {
  return async <Op extends OperationName>(
    op: Op,
    params: Operations[Op]['params'],
    timeoutMs = TIMEOUT_MS,
  ) => {
    const { status, body } = await exchange(socketPath, requestOf({ op, params } as Call), timeoutMs);
    if (status === 200) return answerIn(body, socketPath) as Operations[Op]['result'];
    throw environmentError(`the program answered ${status}: ${reasonIn(body)}`);
  };
}

function exchange(
  socketPath: string,
  { method, path }: { readonly method: string; readonly path: string },
  timeoutMs: number,
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    // No agent: a connection that was kept may have been closed by a program that is gone.
    const target = { socketPath, method, path, headers: { host: 'localhost' }, agent: false };
    const outgoing = request(target, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => (body += text));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
      response.on('error', (error) => reject(refusal(socketPath, error)));
    });
    outgoing.setTimeout(timeoutMs, () => {
      outgoing.destroy(new Error(`it has not answered within ${timeoutMs / 1_000} s`));
    });
    outgoing.on('error', (error) => reject(refusal(socketPath, error)));
    outgoing.end();
  });
}

function refusal(socketPath: string, error: Error): Error {
  switch (codeOf(error)) {
    case 'ENOENT':
    case 'ECONNREFUSED':
      return environmentError(
        `no program listens on ${socketPath}: start one, or name its socket with --control-socket (or its --state-dir)`,
        error,
      );
    case 'EACCES':
      return environmentError(
        `no permission to open ${socketPath}: run this as the user that the program runs as, or as root`,
        error,
      );
    case 'ECONNRESET':
    case 'EPIPE':
      return environmentError(`the program on ${socketPath} ended before it answered`, error);
    default:
      return environmentError(`the program on ${socketPath} gave no answer: ${describeError(error)}`, error);
  }
}

function answerIn(body: string, socketPath: string): unknown {
  try {
    return JSON.parse(body);
  } catch (thrown) {
    throw environmentError(`what listens on ${socketPath} is another program: its answer is no JSON`, thrown);
  }
}

/** The reason of an error answer of the admin routes. */
function reasonIn(body: string): string {
  try {
    const { reason } = JSON.parse(body) as { reason?: unknown };
    if (typeof reason === 'string') return reason;
  } catch {
    // It is no JSON.
  }
  return body.slice(0, MAX_REASON).trim();
}
