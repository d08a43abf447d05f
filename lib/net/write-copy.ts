/**
 * Writes to streams of HTTP/2 what is in memory that is used again at once.
 *
 * Node keeps what it is given until it has gone out, so it is given a copy. New memory for each copy would be outside V8's heap, where
 * every 64 MiB of it start a collection of the whole heap: a quarter of what a download costs. So the memory of copies is used again,
 * too, when one has gone out.
 */
import type { Writable } from 'node:stream';
import { hasGoneOut, SpareMemory } from './spare-memory.js';

const MAX_SPARE_BYTES = 2 * 1024 ** 2;
/** Smaller pieces cost little to copy into memory of their own size. */
const SMALL_BYTES = 8_192;

/** What waits must not keep much more memory than it has bytes: twice as much at the most. */
const LARGE = new SpareMemory(65_536, MAX_SPARE_BYTES);
const MEDIUM = new SpareMemory(16_384, MAX_SPARE_BYTES);

/** @returns as `stream.write`: false when the stream takes no more for now. */
export function writeCopy(stream: Writable, chunk: Buffer): boolean {
  let takesMore = true;
  for (let at = 0; at < chunk.length;) {
    const leftBytes = chunk.length - at;
    const spare = leftBytes > LARGE.bytes - MEDIUM.bytes ? LARGE : MEDIUM;
    const part = chunk.subarray(at, at + spare.bytes);
    at += part.length;
    takesMore = part.length < SMALL_BYTES ? stream.write(Buffer.from(part)) : writeIn(spare, stream, part);
  }
  return takesMore;
}

function writeIn(spare: SpareMemory, stream: Writable, part: Buffer): boolean {
  const memory = spare.take();
  part.copy(memory);
  return stream.write(memory.subarray(0, part.length), (error) => {
    if (hasGoneOut(stream, error)) spare.giveBack(memory);
  });
}
