/**
 * What becomes of a command whose output nobody takes. For commands alone: the proxy, once it runs, ends for no reader of its ready line.
 *
 * `… | head -1` is no failure: whoever reads has what it wanted. Other tools are ended by SIGPIPE there, which Node ignores; here the
 * command ends with the exit code that it would have had, for `check | head` and `why NAME | head` are asked for theirs.
 */
import { writeSync } from 'node:fs';
import { describeError } from '../domain/errors.js';
import { PROGRAM } from './parser.js';

export interface GuardedOutput {
  /** Aborted when nobody reads standard output any more. */
  readonly closed: AbortSignal;
  /** From here on what cannot be written is lost, and that is all. */
  release(): void;
}

export function guardOutput(): GuardedOutput {
  const closed = new AbortController();
  const onStdout = (error: Error): void => {
    if (isClosed(error)) closed.abort();
    else endWith(`standard output cannot be written: ${describeError(error)}`);
  };
  // There is nobody left to tell.
  const onStderr = (error: Error): void => {
    if (!isClosed(error)) process.exit(1);
  };
  process.stdout.on('error', onStdout);
  process.stderr.on('error', onStderr);
  return {
    closed: closed.signal,
    release: () => {
      process.stdout.off('error', onStdout).on('error', lose);
      process.stderr.off('error', onStderr).on('error', lose);
    },
  };
}

function lose(): void {
  // The log has lines of its own, which wait for room.
}

function isClosed(error: NodeJS.ErrnoException): boolean {
  return error.code === 'EPIPE';
}

function endWith(sentence: string): never {
  try {
    writeSync(process.stderr.fd, `${PROGRAM}: ${sentence}\n`);
  } catch {
    // The exit code says it.
  }
  process.exit(1);
}
