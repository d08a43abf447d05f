/** How a connection to Redis behaves: for the source, and for whoever looks at a Redis once. */
import { parseRedisUrl, type ClientOptions } from './url.js';

/** How long a closing connection may wait for the server's side of it. */
const GOODBYE_MS = 100;

/**
 * @param timeoutMs bounds connecting, and an answer.
 * @throws ProxyError ERR_USAGE for a URL that is not a Redis one.
 */
export function connectionOptions(url: string, timeoutMs: number): ClientOptions {
  return {
    ...parseRedisUrl(url),
    lazyConnect: true,
    connectTimeout: timeoutMs,
    // A server that accepts and then says nothing: the connection is given up, or everything would queue behind it.
    socketTimeout: timeoutMs,
    disconnectTimeout: GOODBYE_MS,
    retryStrategy: () => null,
    enableOfflineQueue: false,
    // The check asks INFO, which an ACL may forbid, and hides LOADING behind a time-out.
    enableReadyCheck: false,
    disableClientInfo: true,
    enableAutoPipelining: true,
  };
}
