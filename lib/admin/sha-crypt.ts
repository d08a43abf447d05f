/**
 * The crypt schemes `$5$` (SHA-256) and `$6$` (SHA-512), after Ulrich Drepper's "Unix crypt using SHA-256 and
 * SHA-512".
 *
 * Our own code, against the habit, because the package for it (unixcrypt 3.0.4) computes another hash than the C
 * library does for passwords whose length is a multiple of the digest's (32 or 64 octets, as generated ones often
 * are), and cannot be interrupted between its rounds.
 */
import { createHash } from 'node:crypto';

export type ShaCryptScheme = '5' | '6';

/** Some 5 ms of work in one step. */
const ROUNDS_PER_STEP = 1_000;

const SCHEMES = {
  '5': { algorithm: 'sha256', sizeBytes: 32 },
  '6': { algorithm: 'sha512', sizeBytes: 64 },
} as const;

const ALPHABET = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/**
 * Computes, step by step, the last part of a hash: what follows the salt and its `$`.
 *
 * @param password the octets of the password.
 * @param salt at most 16 characters.
 * @param rounds 1,000 to 999,999,999; 5,000 where the hash names none.
 */
export function* shaCryptSteps(
  scheme: ShaCryptScheme,
  password: Buffer,
  salt: string,
  rounds: number,
): Generator<void, string> {
  const { algorithm, sizeBytes } = SCHEMES[scheme];
  const saltBytes = Buffer.from(salt, 'latin1');
  const digest = (...parts: Buffer[]): Buffer => {
    const hash = createHash(algorithm);
    for (const part of parts) hash.update(part);
    return hash.digest();
  };
  const repeated = (block: Buffer, length: number): Buffer => Buffer.alloc(length, block);

  const alternate = digest(password, saltBytes, password);
  const bits: Buffer[] = [];
  for (let rest = password.length; rest > 0; rest >>= 1) bits.push((rest & 1) === 1 ? alternate : password);
  // Buffer.alloc fills with a block over and over, and refuses an empty one only for a length that is not 0.
  let state = digest(password, saltBytes, repeated(alternate, password.length), ...bits);
  const p = repeated(digest(...Array<Buffer>(password.length).fill(password)), password.length);
  const s = repeated(
    digest(...Array<Buffer>(16 + (state[0] ?? 0)).fill(saltBytes)),
    Math.min(saltBytes.length, sizeBytes),
  );

  for (let round = 0; round < rounds; round++) {
    if (round > 0 && round % ROUNDS_PER_STEP === 0) yield;
    const isOdd = round % 2 === 1;
    const hash = createHash(algorithm).update(isOdd ? p : state);
    if (round % 3 !== 0) hash.update(s);
    if (round % 7 !== 0) hash.update(p);
    state = hash.update(isOdd ? state : p).digest();
  }
  return encode(state);
}

/** The digest in the order and the base 64 of the scheme. */
function encode(digest: Buffer): string {
  const at = (index: number): number => digest[index] ?? 0;
  const letters = (word: number, count: number): string =>
    Array.from({ length: count }, (_, i) => ALPHABET[(word >> (6 * i)) & 63]).join('');
  const groups = Math.floor(digest.length / 3);
  const span = 3 * groups;
  // The specification's table of indices is a stride: 21 of 30 for SHA-256, 22 of 63 for SHA-512.
  const stride = digest.length === 32 ? 21 : 22;
  let text = '';
  for (let i = 0; i < groups; i++) {
    const index = (stride * i) % span;
    const [b, c] = [(index + groups) % span, (index + 2 * groups) % span];
    text += letters((at(index) << 16) | (at(b) << 8) | at(c), 4);
  }
  return text + (digest.length === 32 ? letters((at(31) << 8) | at(30), 3) : letters(at(63), 2));
}
