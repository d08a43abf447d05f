/**
 * The buffer that connections to backends read into.
 *
 * All connections share one: Node would allocate 64 KiB for every read, and that memory is outside V8's heap, where every 64 MiB of
 * it start a collection of the whole heap. Nothing may be left in it when the next connection reads, so whoever keeps bytes
 * copies them first.
 */
import type { OnReadOpts } from 'node:net';

/** Larger than Node's 64 KiB: a download costs a tenth less CPU time. */
const READ_BYTES = 262_144;
/** Shared only where a read is one step. On Windows it is begun with a buffer and ended some time later. */
const SHARED = process.platform === 'win32' ? undefined : Buffer.allocUnsafeSlow(READ_BYTES);

export interface ReadListener {
  /** @param isShared the bytes are overwritten by the next read of any connection: what is kept of them must be copied. */
  onRead(bytes: Buffer, isShared: boolean): void;
}

/** What makes a socket read into it: for `onread` of `net.connect`. */
export function readOptions(listener: ReadListener): OnReadOpts {
  return {
    buffer: SHARED ?? (() => Buffer.allocUnsafeSlow(READ_BYTES)),
    callback: (bytes, buffer) => {
      listener.onRead((buffer as Buffer).subarray(0, bytes), buffer === SHARED);
      return true;
    },
  };
}
