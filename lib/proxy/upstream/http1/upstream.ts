/**
 * A backend over HTTP/1.1: an engine that does no more than a proxy needs. A request is one write of its head and what there is
 * of its body, a response is parsed once, connections are kept.
 */
import { connect as connectTcp, type OnReadOpts, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import type { BackendOrigin } from '../../../config/backend-origin.js';
import type { HttpBackend, LimitSettings } from '../../../config/settings.js';
import { connectOptions } from '../../../domain/address.js';
import { describeError } from '../../../domain/errors.js';
import { KEEP_ALIVE, PROBE_DELAY_MS } from '../../../net/keep-alive.js';
import type { Destination, Names } from '../../../net/names/names.js';
import { Http1Pool } from './pool.js';
import { requestHead, type RequestHead } from './request-head.js';
import { Http1Request } from './request.js';
import {
  invalidRequest,
  UpstreamError,
  type Upstream,
  type UpstreamEvents,
  type UpstreamRequest,
} from '../upstream.js';

/** Idle connections are closed a little before common servers close them (5 s in Node, 75 s in nginx). */
const KEEP_ALIVE_MS = 4_000;

/** Options that only some backends need. */
export interface Http1UpstreamOptions {
  /** What the backend's certificate must chain to. Absent: the system's authorities. */
  readonly caPem?: string;
  /** Connections at once; further requests wait. Absent: as many as it takes. */
  readonly maxConnections?: number;
}

export class Http1Upstream implements Upstream {
  readonly name: string;
  readonly takesUpgrades = true;
  /** `Host` of requests that name none. */
  readonly #ownHost: string;
  readonly #pool: Http1Pool;

  constructor(backend: HttpBackend, limits: LimitSettings, names: Names, options: Http1UpstreamOptions = {}) {
    const { address } = backend.parsed;
    const origin = backend.parsed;
    this.name = backend.socketPath === undefined ? backend.origin : `unix:${backend.socketPath}`;
    this.#ownHost = origin.host;
    this.#pool = new Http1Pool({
      connect: connectorTo(origin, names.destination(address), options.caPem),
      follow: (onChange) => names.follow(address, onChange),
      readyEvent: origin.isTls ? 'secureConnect' : 'connect',
      maxConnections: options.maxConnections ?? Infinity,
      connectTimeoutMs: limits.backendConnectTimeoutMs,
      headersTimeoutMs: limits.backendHeadersTimeoutMs,
      bodyTimeoutMs: limits.backendBodyTimeoutMs,
      idleTimeoutMs: KEEP_ALIVE_MS,
    });
  }

  get connections(): { readonly open: number; readonly idle: number } {
    return this.#pool.counts;
  }

  dispatch(request: UpstreamRequest, events: UpstreamEvents): void {
    let head: RequestHead;
    try {
      head = requestHead(request, this.#ownHost);
    } catch (thrown) {
      const invalid = thrown instanceof UpstreamError ? thrown : invalidRequest(describeError(thrown));
      events.onError(invalid);
      return;
    }
    this.#pool.dispatch(new Http1Request(request, head, events));
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }
}

/** Connects to a backend. Its certificate must be for the host of its URL. */
function connectorTo(
  { isTls, serverName }: BackendOrigin,
  address: Destination,
  ca: string | undefined,
): (onread: OnReadOpts) => Socket {
  const common = {
    ...connectOptions(address),
    noDelay: true,
    ...KEEP_ALIVE,
  };
  if (!isTls) return (onread) => connectTcp({ ...common, onread });
  /** The TLS session of the last connection: with it the next handshake is shorter. */
  let session: Buffer | undefined;
  const secure = {
    ...common,
    ALPNProtocols: ['http/1.1'],
    // Without a server name where the host is an address; the certificate must still be for that address.
    servername: serverName,
    ...(ca !== undefined && { ca }),
  };
  return (onread) => {
    // Its types lack `onread`, which it passes on to the socket.
    const options: ConnectionOptions & { onread: OnReadOpts } = { ...secure, onread };
    const socket = connectTls(session === undefined ? options : { ...options, session });
    socket.on('session', (next: Buffer) => (session = next));
    // Node 20 passes on no probes to the connection of a TLS socket.
    socket.once('secureConnect', () => socket.setKeepAlive(true, PROBE_DELAY_MS));
    return socket;
  };
}
