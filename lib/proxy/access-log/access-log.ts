/**
 * The access log: one line a request, written when its response has ended, whole or cut; for one that changed its protocol
 * (101, on HTTP/2 200), when the connection or its stream has. In TCP mode there are no requests: one line a connection, when it has ended.
 *
 * The primary has checked that the file can be opened. Where a worker cannot open it all the same, that is logged, and requests are
 * answered as before: without lines, or with lines in the file that is open.
 */
import type { AccessLogSettings } from '../../config/settings.js';
import { describeError } from '../../domain/errors.js';
import type { Logger } from '../../log/logger.js';
import type { ConnectionInfo } from '../../net/connection-info.js';
import { LineSink, STDOUT, type LogStream } from '../../log/line-sink.js';
import { accessLine, type AccessEntry } from './request-line.js';
import type { TcpEntry } from '../tunnel/tcp-record.js';
import { tcpLine } from './tcp-line.js';
import type { ClientConnection } from '../downstream/client-connection.js';
import type { Http1Observer } from '../downstream/http1/server.js';
import type { Refusal } from '../downstream/http1/session.js';
import type { RequestContext } from '../downstream/request-context.js';

/** nginx's number for a client that has gone before its answer. */
const CLIENT_GONE = 499;

export interface AccessLogParts {
  readonly log: Logger;
  /** Milliseconds since 1970. @default Date.now */
  readonly now?: () => number;
  /** Opens what is written to. @default the file, or standard output */
  readonly open?: (file: string | undefined) => AccessLogSink;
}

export interface AccessLogSink extends LogStream {
  flush(): void;
  close(): void;
}

/**
 * Opens the file of an access log, or standard output.
 *
 * @throws ProxyError ERR_USAGE: it cannot be written.
 */
export function openAccessLog(file: string | undefined): AccessLogSink {
  return new LineSink(file, undefined, { fd: STDOUT, flagName: '--access-log' });
}

export class AccessLog implements Http1Observer {
  readonly #log: Logger;
  readonly #now: () => number;
  readonly #open: (file: string | undefined) => AccessLogSink;
  #settings: AccessLogSettings | undefined;
  #sink: AccessLogSink | undefined;

  /** @param settings undefined: off. */
  constructor(parts: AccessLogParts, settings: AccessLogSettings | undefined) {
    this.#log = parts.log;
    this.#now = parts.now ?? Date.now;
    this.#open = parts.open ?? openAccessLog;
    this.#settings = settings;
    if (settings !== undefined) this.#swap(settings.file);
  }

  /** Takes other settings over. Requests under way are written as these say. */
  configure(settings: AccessLogSettings | undefined): void {
    const before = this.#settings;
    this.#settings = settings;
    if (settings === undefined) {
      this.#sink?.close();
      this.#sink = undefined;
    } else if (before === undefined || before.file !== settings.file) {
      this.#swap(settings.file);
    }
  }

  /** Opens the file again under its name: after it was rotated. */
  reopen(): void {
    if (this.#settings !== undefined) this.#swap(this.#settings.file);
  }

  /** Writes what could not be written yet: before an exit. */
  flush(): void {
    this.#sink?.flush();
  }

  /** Writes the line of a request when its response has ended. To be called before anything is answered. */
  follow(context: RequestContext): void {
    if (this.#settings === undefined) return;
    const { client, connection } = context;
    // Read now: once the connection has closed, Node does not know its protocol any more.
    const tls = this.#settings.format === 'json' ? connection.protocol : undefined;
    client.onClose(() => {
      const { host, method, url, httpVersion, startedAtMs } = context;
      const { id, status, bodyBytes, isWhole, timeout } = client;
      this.#write(connection.info, {
        id,
        host,
        method,
        target: url,
        httpVersion,
        status: status === 0 ? CLIENT_GONE : status,
        bytes: bodyBytes,
        durationMs: performance.now() - startedAtMs,
        tls,
        isCut: !isWhole,
        timeout,
      });
    });
  }

  /** Writes the line of a connection of TCP mode, which has ended. */
  tcp(connection: Omit<TcpEntry, 'timeMs'>): void {
    if (this.#settings === undefined) return;
    this.#sink?.write(tcpLine({ timeMs: this.#now(), ...connection }, this.#settings.format));
  }

  /** Writes the line for bytes that were not a request, and were answered with an error. */
  noteRefusal({ info, protocol }: ClientConnection, { id, status, bytes }: Refusal): void {
    const timeout = status === 408 ? 'header-timeout' : undefined;
    const request = { host: undefined, method: undefined, target: undefined, httpVersion: undefined };
    this.#write(info, { ...request, id, status, bytes, durationMs: 0, tls: protocol, isCut: false, timeout });
  }

  #write(
    { client, serverName, tier }: ConnectionInfo,
    entry: Omit<AccessEntry, 'timeMs' | 'client' | 'name' | 'tier'>,
  ): void {
    if (this.#settings === undefined) return;
    const whole: AccessEntry = {
      timeMs: this.#now(),
      client: client.address,
      name: serverName,
      tier,
      ...entry,
    };
    this.#sink?.write(accessLine(whole, this.#settings.format));
  }

  #swap(file: string | undefined): void {
    try {
      const next = this.#open(file);
      this.#sink?.close();
      this.#sink = next;
    } catch (thrown) {
      this.#log.err('access log not opened', { error: describeError(thrown) });
    }
  }
}
