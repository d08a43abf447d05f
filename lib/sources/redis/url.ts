/**
 * Redis URLs: what they mean, and how they are shown.
 *
 * `redis://[user][:password]@host[:port][/db]`; `rediss://`, the same over TLS; `unix:///path[?db=N]` or an absolute path.
 * The query may hold `db`, `username` and `password` too. When none is named it is database 9 on 127.0.0.1:6379, where
 * the manager primes.
 */
import type { RedisOptions } from 'ioredis';
import { usageError } from '../../domain/errors.js';

/** What ioredis takes, but for an option that its own constructor refuses as possibly undefined. */
export type ClientOptions = Omit<RedisOptions, 'replyMapping'>;

const DEFAULT_HOST = '127.0.0.1';
const DEFAULT_PORT = 6379;
const DEFAULT_DATABASE = 9;

/**
 * A Redis URL as ioredis options.
 *
 * @throws ProxyError ERR_USAGE, without the URL's text: it may hold a password.
 */
export function parseRedisUrl(text: string): ClientOptions {
  const wrong = (what: string): Error =>
    usageError(`the Redis URL ${what}; expected redis://HOST:PORT/DB, rediss://… or unix:///PATH?db=N`);
  let url: URL;
  try {
    url = new URL(text.startsWith('/') ? `unix://${text}` : text);
  } catch {
    throw wrong('cannot be parsed');
  }
  const isUnix = url.protocol === 'unix:';
  if (!isUnix && url.protocol !== 'redis:' && url.protocol !== 'rediss:') {
    throw wrong('has another scheme');
  }
  const path = isUnix ? '' : url.pathname.replace(/^\//, '');
  const database = path || url.searchParams.get('db') || String(DEFAULT_DATABASE);
  if (!/^\d{1,9}$/.test(database)) throw wrong('names a database that is not a number');
  let username: string, password: string, socketPath: string;
  try {
    username = decodeURIComponent(url.username) || (url.searchParams.get('username') ?? '');
    password = decodeURIComponent(url.password) || (url.searchParams.get('password') ?? '');
    socketPath = isUnix ? decodeURIComponent(url.pathname) : '';
  } catch {
    throw wrong('has a % that is not followed by two hex digits');
  }
  if (isUnix && socketPath.length < 2) throw wrong('names no socket');
  return {
    ...(isUnix
      ? { path: socketPath }
      : {
          host: url.hostname.replace(/^\[|\]$/g, '') || DEFAULT_HOST,
          port: Number(url.port || DEFAULT_PORT),
        }),
    ...(url.protocol === 'rediss:' ? { tls: {} } : {}),
    ...(username ? { username } : {}),
    ...(password ? { password } : {}),
    db: Number(database),
  };
}

/** A Redis URL for logs and messages: without its password, with its database. */
export function describeRedisUrl(text: string): string {
  const { path, host = '', port, username, db, tls } = parseRedisUrl(text);
  if (path !== undefined) return `unix://${path}?db=${db}`;
  const user = username === undefined ? '' : `${encodeURIComponent(username)}@`;
  const shownHost = host.includes(':') ? `[${host}]` : host;
  return `${tls === undefined ? 'redis' : 'rediss'}://${user}${shownHost}:${port}/${db}`;
}
