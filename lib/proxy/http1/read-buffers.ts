/**
 * The buffers that connections to backends read into.
 *
 * All connections share one buffer: Node would allocate 64 KiB for every read. Nothing may be left in it when the next connection
 * reads, so whoever passes bytes on copies them first. While large reads come, a connection reads into buffers of its own, which
 * may be passed on as they are.
 */
import type { OnReadOpts } from 'node:net';

const READ_BYTES = 65_536;
/** From here on a connection reads into a buffer of its own: to copy so much costs more than another buffer. */
const LARGE_READ_BYTES = 16_384;
/** Shared only where a read is one step. On Windows it is begun with a buffer and ended some time later. */
const SHARED = process.platform === 'win32' ? undefined : Buffer.allocUnsafeSlow(READ_BYTES);

export interface ReadListener {
  /** @param isShared the bytes are overwritten by the next read of any connection: what is kept of them must be copied. */
  onRead(bytes: Buffer, isShared: boolean): void;
}

/** What makes a socket read into these buffers: for `onread` of `net.connect`. */
export function readOptions(listener: ReadListener): OnReadOpts {
  let next = SHARED ?? Buffer.allocUnsafeSlow(READ_BYTES);
  return {
    buffer: () => next,
    callback: (bytes, buffer) => {
      const wantsOwn = bytes >= LARGE_READ_BYTES || SHARED === undefined;
      next = wantsOwn ? Buffer.allocUnsafeSlow(READ_BYTES) : SHARED;
      listener.onRead((buffer as Buffer).subarray(0, bytes), buffer === SHARED);
      return true;
    },
  };
}
