/**
 * Memory for parts of bodies, in two sizes: many streams may have a little each.
 *
 * It is used again: new memory would be outside V8's heap, where every 64 MiB of it start a collection of the whole heap.
 */
import { SpareMemory } from '../../../net/spare-memory.js';

/** Of the larger size. */
export const LARGE_BYTES = 65_536;

/** While nobody has it. */
const LARGE = new SpareMemory(LARGE_BYTES, 64 * LARGE_BYTES);
const SMALL = new SpareMemory(4_096, 1024 ** 2);

/** @param bytes that are to be put there first: it may be less memory than that. @returns the small size where they fit, else the large. */
export function takeMemory(bytes: number): Buffer {
  return (bytes <= SMALL.bytes ? SMALL : LARGE).take();
}

/** @param memory of `takeMemory`, needed no more. */
export function giveBack(memory: Buffer): void {
  (memory.length === SMALL.bytes ? SMALL : LARGE).giveBack(memory);
}
