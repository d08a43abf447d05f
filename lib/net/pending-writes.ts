/**
 * What is to be written to a connection while it is taking something else.
 */
import type { OnWritten } from './client-socket.js';

export interface PendingWrite {
  /** Text is latin1. */
  readonly chunk: Buffer | string;
  readonly onWritten: OnWritten | undefined;
}

/** Several writes as one. */
export interface Batch {
  readonly bytes: number;
  /** As Node's native handles have it: buffers; or, not `isAllBuffers`, each chunk with its encoding behind it. */
  readonly chunks: readonly unknown[];
  readonly isAllBuffers: boolean;
  readonly onWritten: OnWritten;
}

/** Joins what has waited. @param writes one at least. */
export function batchOf(writes: readonly PendingWrite[]): Batch {
  const isAllBuffers = writes.every(({ chunk }) => typeof chunk !== 'string');
  return {
    bytes: writes.reduce((sum, { chunk }) => sum + chunk.length, 0),
    chunks: isAllBuffers
      ? writes.map(({ chunk }) => chunk)
      : writes.flatMap(({ chunk }) => [chunk, typeof chunk === 'string' ? 'latin1' : 'buffer']),
    isAllBuffers,
    onWritten: (error) => {
      for (const { onWritten } of writes) onWritten?.(error);
    },
  };
}
