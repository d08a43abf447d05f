/**
 * The bus over cluster IPC: a `BusPort` for either end of a worker's channel.
 */
import type { Worker } from 'node:cluster';
import type { BusPort } from './endpoint.js';
import type { Envelope } from './messages.js';

/** The primary's end: the channel to one worker. */
export function portToWorker(worker: Worker): BusPort {
  return {
    post: (message) => {
      if (worker.isConnected()) worker.send(message, ignoreLateFailure);
    },
    onMessage: (listener) => void worker.on('message', listener),
    onClose: (listener) => void worker.once('disconnect', listener),
  };
}

/** The worker's end: the channel to the primary. */
export function portToPrimary(self: NodeJS.Process): BusPort {
  return {
    post: (message: Envelope) => {
      if (self.connected) self.send?.(message, undefined, undefined, ignoreLateFailure);
    },
    onMessage: (listener) => void self.on('message', listener),
    onClose: (listener) => void self.once('disconnect', listener),
  };
}

/** A channel that breaks under a message is reported by `disconnect`; without a callback `send` would throw. */
function ignoreLateFailure(): void {
  // Nothing to do.
}
