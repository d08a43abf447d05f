/**
 * The kinds of password hash that an htpasswd file may hold, each as a check of a password.
 *
 * Known: bcrypt (`$2a$`, `$2b$`, `$2y$`), `$apr1$`, `$1$`, `$5$`, `$6$`, `{SHA}`, `{SSHA}`, DES crypt (13
 * characters), `{PLAIN}` and bare plain text. Comparisons take the same time wherever the difference is. Passwords
 * are UTF-8.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { apacheCrypt, apacheMd5, bcrypt } from '../base/lazy-imports.js';
import { runInTurns, runNow } from './in-turns.js';
import { shaCryptSteps, type ShaCryptScheme } from './sha-crypt.js';

/** Tells whether a password is the one of the hash. */
export interface PasswordCheck {
  /** True: a check takes microseconds, and may run on the event loop. The slow ones take milliseconds to seconds. */
  readonly isFast: boolean;
  /** Holds this thread until it is done. */
  now(password: string): boolean;
  /** Lets other events of this thread have their turn, every 100 ms at the latest. */
  inTurns(password: string): Promise<boolean>;
}

/** The check, or what is wrong with the hash in one clause that does not quote it. */
export type HashReading = { readonly check: PasswordCheck } | { readonly problem: string };

/** A check takes seconds at most: anybody may ask for one. */
const MAX_BCRYPT_COST = 16;
const MAX_SHA_CRYPT_ROUNDS = 1_000_000;
const DEFAULT_SHA_CRYPT_ROUNDS = 5_000;

const BCRYPT = /^(\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{22})[./A-Za-z0-9]{31}$/;
const MD5_CRYPT = /^(\$(?:apr1|1)\$[^$]{0,8}\$)[./A-Za-z0-9]{22}$/;
const SHA_CRYPT = /^\$([56])\$(?:rounds=(\d{1,9})\$)?([^$]{0,16})\$([./A-Za-z0-9]+)$/;
const SHA_CRYPT_LENGTHS: Readonly<Record<ShaCryptScheme, number>> = { '5': 43, '6': 86 };
const DES_CRYPT = /^[./A-Za-z0-9]{13}$/;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
const SHA1_BYTES = 20;

/** Reads the hash of one line. */
export function readHash(hash: string): HashReading {
  if (hash === '') return { problem: 'the password is empty' };
  if (hash.startsWith('$2')) return readBcrypt(hash);
  if (hash.startsWith('$5$') || hash.startsWith('$6$')) return readShaCrypt(hash);
  if (hash.startsWith('{SHA}')) return readSha(hash.slice('{SHA}'.length), false);
  if (hash.startsWith('{SSHA}')) return readSha(hash.slice('{SSHA}'.length), true);
  const md5Salt = MD5_CRYPT.exec(hash)?.[1];
  if (md5Salt !== undefined) return slow(hash, (password) => apacheMd5()(octets(password), md5Salt));
  if (DES_CRYPT.test(hash)) {
    return slow(hash, (password) => apacheCrypt()(octets(password), hash.slice(0, 2)));
  }
  if (hash.startsWith('{PLAIN}')) {
    const plain = hash.slice('{PLAIN}'.length);
    return plain === '' ? { problem: 'the password is empty' } : fast(plain, (password) => password);
  }
  if (hash.startsWith('$') || hash.startsWith('{')) return { problem: 'unknown hash format' };
  return fast(hash, (password) => password);
}

function readBcrypt(hash: string): HashReading {
  const [, salt, cost] = BCRYPT.exec(hash) ?? [];
  if (salt === undefined || Number(cost) < 4) return { problem: 'unknown hash format' };
  if (Number(cost) > MAX_BCRYPT_COST) return { problem: `a bcrypt cost above ${MAX_BCRYPT_COST}` };
  return slow(
    hash,
    (password) => bcrypt().hashSync(password, salt),
    (password) => bcrypt().hash(password, salt),
  );
}

function readShaCrypt(hash: string): HashReading {
  const [, id, roundsText, salt, digest] = SHA_CRYPT.exec(hash) ?? [];
  const scheme = id === '5' || id === '6' ? id : undefined;
  if (scheme === undefined || salt === undefined || digest?.length !== SHA_CRYPT_LENGTHS[scheme]) {
    return { problem: 'unknown hash format' };
  }
  const rounds = Math.max(1_000, Number(roundsText ?? DEFAULT_SHA_CRYPT_ROUNDS));
  if (rounds > MAX_SHA_CRYPT_ROUNDS) return { problem: `more than ${MAX_SHA_CRYPT_ROUNDS} rounds` };
  const steps = (password: string): Generator<void, string> =>
    shaCryptSteps(scheme, Buffer.from(password), salt, rounds);
  return slow(
    digest,
    (password) => runNow(steps(password)),
    (password) => runInTurns(steps(password)),
  );
}

/** RFC 2307: the SHA-1 digest of password and salt, then the salt. */
function readSha(encoded: string, isSalted: boolean): HashReading {
  const bytes = BASE64.test(encoded) ? Buffer.from(encoded, 'base64') : Buffer.alloc(0);
  if (isSalted ? bytes.length <= SHA1_BYTES : bytes.length !== SHA1_BYTES) {
    return { problem: 'unknown hash format' };
  }
  const salt = bytes.subarray(SHA1_BYTES);
  return fast(bytes.toString('base64', 0, SHA1_BYTES), (password) =>
    createHash('sha1').update(password).update(salt).digest('base64'),
  );
}

function fast(expected: string, compute: (password: string) => string): HashReading {
  const now = (password: string): boolean => isSame(compute(password), expected);
  return { check: { isFast: true, now, inTurns: (password) => Promise.resolve(now(password)) } };
}

/** @param computeInTurns absent: the computation takes a few milliseconds, and is done in one turn. */
function slow(
  expected: string,
  compute: (password: string) => string,
  computeInTurns = (password: string): Promise<string> => Promise.resolve(compute(password)),
): HashReading {
  return {
    check: {
      isFast: false,
      now: (password) => isSame(compute(password), expected),
      inTurns: async (password) => isSame(await computeInTurns(password), expected),
    },
  };
}

const isSame = (computed: string, expected: string): boolean =>
  timingSafeEqual(sha256(computed), sha256(expected));

/** Digests of equal length, so that neither length nor place of a difference shows in the time. */
const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();

/** UTF-8, one character for each octet: what the older packages take. */
const octets = (text: string): string => Buffer.from(text).toString('latin1');
