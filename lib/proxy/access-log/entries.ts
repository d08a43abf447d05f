/**
 * What lines of the access log are made of. A member that costs something is read when a line has it: entries are made of getters.
 */
import type { TimeoutName } from '../../domain/timeout-name.js';
import type { ConnectionInfo } from '../../net/connection-info.js';
import type { ClientConnection } from '../downstream/client-connection.js';
import type { Refusal } from '../downstream/http1/session.js';
import type { RequestContext } from '../downstream/request-context.js';
import type { RequestTrace } from '../downstream/request-trace.js';
import type { TlsFacts } from '../downstream/tls-facts.js';
import { joinedValues } from '../headers/fields.js';

/** nginx's number for a client that has gone before its answer. */
const CLIENT_GONE = 499;

/** What is told of a connection, be it of a request or of TCP mode. */
export interface ConnectionEntry {
  /** When it ended: milliseconds since 1970. */
  readonly timeMs: number;
  readonly info: Pick<
    ConnectionInfo,
    'client' | 'serverName' | 'tier' | 'reason' | 'handshake' | 'alpn' | 'chooseMs'
  >;
  /** Undefined on plain HTTP. */
  readonly tls: TlsFacts | undefined;
  readonly durationMs: number;
}

/** What is told of a request. */
export interface AccessEntry extends ConnectionEntry {
  /** As on error pages and in the log. */
  readonly id: string;
  readonly host: string | undefined;
  /** Undefined, like host, target and version, where the client sent no valid request, or one that was refused unread. */
  readonly method: string | undefined;
  readonly target: string | undefined;
  /** `1.0`, `1.1` or `2.0`. */
  readonly httpVersion: string | undefined;
  readonly referer: string | undefined;
  readonly userAgent: string | undefined;
  /** 499: the client went before there was an answer. */
  readonly status: number;
  /** Of the response's body; of all that was sent behind a 101. */
  readonly bytes: number;
  /** The same of the request. */
  readonly received: number;
  /** From the head of the request to the end of the response. */
  readonly durationMs: number;
  /** The response did not come to its end. */
  readonly isCut: boolean;
  /** By which time-out it has ended. */
  readonly timeout: TimeoutName | undefined;
  /** Its way to the backends, where that is wanted. */
  readonly trace: RequestTrace | undefined;
}

/** A request whose response has ended. */
export class EndedRequest implements AccessEntry {
  readonly timeMs: number;
  readonly durationMs: number;
  readonly #context: RequestContext;

  constructor(context: RequestContext, timeMs: number) {
    this.#context = context;
    this.timeMs = timeMs;
    this.durationMs = performance.now() - context.startedAtMs;
  }

  get info(): ConnectionInfo {
    return this.#context.connection.info;
  }

  get tls(): TlsFacts | undefined {
    return this.#context.connection.tls;
  }

  get id(): string {
    return this.#context.client.id;
  }

  get host(): string | undefined {
    return this.#context.host;
  }

  get method(): string {
    return this.#context.method;
  }

  /** On HTTP/2 a CONNECT has no path: the authority is its target, as on HTTP/1.1 (RFC 9113 §8.5). */
  get target(): string {
    const { url, host = '' } = this.#context;
    return url === '' ? host : url;
  }

  get httpVersion(): string {
    return this.#context.httpVersion;
  }

  get referer(): string | undefined {
    return joinedValues(this.#context.headers, 'referer');
  }

  get userAgent(): string | undefined {
    return joinedValues(this.#context.headers, 'user-agent');
  }

  get status(): number {
    const { status } = this.#context.client;
    return status === 0 ? CLIENT_GONE : status;
  }

  get bytes(): number {
    return this.#context.client.bodyBytes;
  }

  get received(): number {
    const { body, trace } = this.#context;
    return (body?.receivedBytes ?? 0) + (trace?.tunnelBytes?.() ?? 0);
  }

  get isCut(): boolean {
    return !this.#context.client.isWhole;
  }

  get timeout(): TimeoutName | undefined {
    return this.#context.client.timeout;
  }

  get trace(): RequestTrace | undefined {
    return this.#context.trace;
  }
}

/** Bytes that were not a request, and were answered with an error. */
export function refusedEntry(
  { info, tls }: ClientConnection,
  { id, status, bytes }: Refusal,
  timeMs: number,
): AccessEntry {
  const timeout = status === 408 ? 'header-timeout' : undefined;
  const unread = { host: undefined, method: undefined, target: undefined, httpVersion: undefined };
  const none = { ...unread, referer: undefined, userAgent: undefined, trace: undefined };
  return { ...none, timeMs, info, tls, id, status, bytes, received: 0, durationMs: 0, isCut: false, timeout };
}
