/**
 * Libraries that many runs do not need: loaded when they are first used. All of them together take longer than everything
 * else at the start of a process (CPU time on Node 20, milliseconds: ioredis 90, undici 80, yaml 30).
 *
 * Loaded by `require`: those who use them are not asynchronous, and in tests this gives one copy only.
 */
import { createRequire } from 'node:module';
import type * as Bcrypt from 'bcryptjs';
import type * as Ioredis from 'ioredis';
import type * as Undici from 'undici';
import type * as Yaml from 'yaml';

const require = createRequire(import.meta.url);

/** Password and hash have one character for each octet. The packages bring no types that TypeScript finds. */
type OldCrypt = (password: string, salt: string) => string;

/** MD5-crypt, for `$apr1$` and `$1$`. */
export function apacheMd5(): OldCrypt {
  return require('apache-md5') as OldCrypt;
}

/** DES crypt. */
export function apacheCrypt(): OldCrypt {
  return require('apache-crypt') as OldCrypt;
}

export function bcrypt(): typeof Bcrypt {
  return require('bcryptjs') as typeof Bcrypt;
}

export function ioredis(): typeof Ioredis {
  return require('ioredis') as typeof Ioredis;
}

export function undici(): typeof Undici {
  return require('undici') as typeof Undici;
}

export function yaml(): typeof Yaml {
  return require('yaml') as typeof Yaml;
}
