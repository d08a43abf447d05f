/**
 * Writes numbers as RFC 7541 §5.1 has them. PURE.
 */

/** The most octets that one takes, up to 2^32. */
export const MAX_INTEGER_BYTES = 6;

/**
 * Writes a number.
 *
 * @param value from 0 to 2^32.
 * @param prefixBits how many bits of the first octet are the number's.
 * @param flags the others.
 * @returns where it has ended.
 */
export function writeInteger(
  value: number,
  prefixBits: number,
  flags: number,
  target: Uint8Array,
  start: number,
): number {
  const most = (1 << prefixBits) - 1;
  if (value < most) {
    target[start] = flags | value;
    return start + 1;
  }
  let at = start;
  target[at++] = flags | most;
  let rest = value - most;
  // Not by shifts: they are of 32 bits with a sign.
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) target[at++] = 0x80 | (rest % 0x80);
  target[at++] = rest;
  return at;
}
