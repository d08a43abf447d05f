/**
 * Decodes strings that were shortened with the Huffman code (RFC 7541 §5.2), an octet at a time. PURE.
 */
import { CODE_BITS, CODES } from './huffman-code.js';

/** A tree of 256 octets and EOS branches at so many nodes: each is a state, 0 is the root. */
const STATES = 256;
/** EOS, whose code is 30 ones, was within: it may not come (§5.2). */
const FAILED = 1 << 26;
/** What is no branch of the tree: its octet, from here on. */
const LEAF = 0x100;
const END_OF_STRING = LEAF + 256;

/** The branches of each state, for a bit of 0 and for one of 1. */
const branches = treeOf();
/**
 * What follows from a state and an octet, at `state << 8 | octet`: the state after it in the lowest 8 bits, then the first octet that has
 * been decoded and the second, 8 bits each, then how many they are in 2 bits, then FAILED. No code is shorter than 5 bits, so there
 * are never more than two. 0 is no step: what has not been met yet is worked out when it is, since all of them take some 10 ms.
 */
const steps = new Uint32Array(256 * STATES);
/** 1 for states in which a string may end: what has come of the next code is at most 7 bits, all of them ones (§5.2). */
const mayEnd = endsOf();

/**
 * Decodes a string.
 *
 * @param target has room for `maxDecodedBytes(end - start)`; written from 0.
 * @returns how many octets it has; -1: it is malformed.
 */
export function decodeHuffman(bytes: Uint8Array, start: number, end: number, target: Uint8Array): number {
  let state = 0;
  let length = 0;
  let all = 0;
  for (let at = start; at < end; at += 1) {
    const step = steps[(state << 8) | (bytes[at] ?? 0)] || stepOf(state, bytes[at] ?? 0);
    // Both are written, for to ask whether they are there would cost more.
    target[length] = step >>> 8;
    target[length + 1] = step >>> 16;
    length += (step >>> 24) & 3;
    all |= step;
    state = step & 0xff;
  }
  return (all & FAILED) === 0 && mayEnd[state] === 1 ? length : -1;
}

/** The most octets that `decodeHuffman` writes for so many. */
export function maxDecodedBytes(codedBytes: number): number {
  return 2 * codedBytes + 1;
}

function treeOf(): Uint16Array {
  const tree = new Uint16Array(2 * STATES);
  let states = 1;
  const add = (code: number, bits: number, leaf: number): void => {
    let state = 0;
    for (let bit = bits - 1; bit > 0; bit -= 1) {
      const branch = 2 * state + ((code >>> bit) & 1);
      const below = tree[branch] || states;
      if (below === states) states += 1;
      tree[branch] = below;
      state = below;
    }
    tree[2 * state + (code & 1)] = leaf;
  };
  for (let octet = 0; octet < 256; octet += 1) add(CODES[octet] ?? 0, CODE_BITS[octet] ?? 0, LEAF + octet);
  add(0x3fff_ffff, 30, END_OF_STRING);
  return tree;
}

function stepOf(from: number, octet: number): number {
  const step = workedOut(from, octet);
  steps[(from << 8) | octet] = step;
  return step;
}

function workedOut(from: number, octet: number): number {
  let state = from;
  let decoded = 0;
  let count = 0;
  for (let bit = 7; bit >= 0; bit -= 1) {
    const below = branches[2 * state + ((octet >>> bit) & 1)] ?? 0;
    if (below === END_OF_STRING) return FAILED;
    if (below < LEAF) {
      state = below;
    } else {
      decoded |= (below - LEAF) << (8 + 8 * count);
      count += 1;
      state = 0;
    }
  }
  return decoded | (count << 24) | state;
}

function endsOf(): Uint8Array {
  const ends = new Uint8Array(STATES);
  let state = 0;
  for (let bits = 0; bits <= 7; bits += 1) {
    ends[state] = 1;
    state = branches[2 * state + 1] ?? 0;
  }
  return ends;
}
