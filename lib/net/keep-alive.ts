/**
 * Probes of TCP: a connection whose other end is gone without a word, on which nothing is sent, is noticed and closed.
 */

/** The kernel probes a connection on which nothing has come for so long. */
export const PROBE_DELAY_MS = 60_000;

/** For `connect` of `node:net`. Node 20 does not heed it for TLS sockets: they need `setKeepAlive`. */
export const KEEP_ALIVE = { keepAlive: true, keepAliveInitialDelay: PROBE_DELAY_MS } as const;
