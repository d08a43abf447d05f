/**
 * Writes to streams of HTTP/2 what is in memory that is used again at once.
 *
 * Node keeps what it is given until it has gone out, so it is given a copy. New memory for each copy would be outside V8's heap, where
 * every 64 MiB of it start a collection of the whole heap: a quarter of what a download costs. So the memory of copies is used again,
 * too, when Node says that one has gone out. That of a copy that has not is left to Node: parts of it may still be on their way.
 */
import type { Writable } from 'node:stream';

const MEMORY_BYTES = 65_536;
/** Memory that no stream has. */
const spare: Buffer[] = [];
const MAX_SPARE = 32;
/** Smaller pieces cost little, and must not keep that much memory each. */
const SMALL_BYTES = 8_192;

/** @returns as `stream.write`: false when the stream takes no more for now. */
export function writeCopy(stream: Writable, chunk: Buffer): boolean {
  let takesMore = true;
  for (let at = 0; at < chunk.length; at += MEMORY_BYTES) {
    const part = chunk.subarray(at, at + MEMORY_BYTES);
    takesMore = part.length < SMALL_BYTES ? stream.write(Buffer.from(part)) : writeInMemory(stream, part);
  }
  return takesMore;
}

function writeInMemory(stream: Writable, part: Buffer): boolean {
  const memory = spare.pop() ?? Buffer.allocUnsafeSlow(MEMORY_BYTES);
  part.copy(memory);
  return stream.write(memory.subarray(0, part.length), (error) => {
    const hasGoneOut = error === null || error === undefined;
    if (hasGoneOut && spare.length < MAX_SPARE) spare.push(memory);
  });
}
