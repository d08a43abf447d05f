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
import { LineSink, STDOUT, type LogStream, type SinkWatch } from '../../log/line-sink.js';
import { EndedRequest, refusedEntry } from './entries.js';
import { layoutOf, type Layout } from './layout.js';
import { AccessLogTrouble } from './trouble.js';
import type { TcpEntry } from '../tunnel/tcp-record.js';
import type { ClientConnection } from '../downstream/client-connection.js';
import type { Http1Observer } from '../downstream/http1/server.js';
import type { Refusal } from '../downstream/http1/session.js';
import type { RequestContext } from '../downstream/request-context.js';
import { RequestTrace } from '../downstream/request-trace.js';
import type { TlsFacts } from '../downstream/tls-facts.js';

export interface AccessLogParts {
  readonly log: Logger;
  /** Milliseconds since 1970. @default Date.now */
  readonly now?: () => number;
  /** Opens what is written to. @default the file, or standard output */
  readonly open?: OpenAccessLog;
}

export type OpenAccessLog = (file: string | undefined, watch: SinkWatch) => AccessLogSink;

export interface AccessLogSink extends LogStream {
  flush(): void;
  close(): void;
}

/**
 * Opens the file of an access log, or standard output.
 *
 * @throws ProxyError ERR_USAGE: it cannot be written.
 */
export function openAccessLog(file: string | undefined, watch: SinkWatch): AccessLogSink {
  return new LineSink(file, undefined, { fd: STDOUT, flagName: '--access-log', watch });
}

export class AccessLog implements Http1Observer {
  readonly #log: Logger;
  readonly #now: () => number;
  readonly #open: OpenAccessLog;
  readonly #trouble: AccessLogTrouble;
  #settings: AccessLogSettings | undefined;
  /** Undefined: off. */
  #layout: Layout | undefined;
  #sink: AccessLogSink | undefined;

  /** @param settings undefined: off. */
  constructor(parts: AccessLogParts, settings: AccessLogSettings | undefined) {
    this.#log = parts.log;
    this.#now = parts.now ?? Date.now;
    this.#open = parts.open ?? openAccessLog;
    this.#trouble = new AccessLogTrouble(parts.log);
    this.#settings = settings;
    this.#layout = settings && layoutOf(settings);
    if (settings !== undefined) this.#swap(settings.file);
  }

  /** Takes other settings over. Requests under way are written as these say. */
  configure(settings: AccessLogSettings | undefined): void {
    const before = this.#settings;
    this.#settings = settings;
    this.#layout = settings && layoutOf(settings);
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
    const layout = this.#layout;
    if (layout === undefined) return;
    const { tls } = context.connection;
    if (tls !== undefined) for (const read of layout.tls) read(tls);
    if (layout.trace !== 'no') context.trace = new RequestTrace(layout.trace === 'timed');
    context.client.onClose(() => {
      // As the settings say now: a reload may have switched it off.
      if (this.#layout !== undefined)
        this.#sink?.write(this.#layout.request(new EndedRequest(context, this.#now())));
    });
  }

  /** A connection of TCP mode begins: what its line needs of TLS is read, which Node does not know any more at its end. */
  followTcp(tls: TlsFacts): void {
    if (this.#layout !== undefined) for (const read of this.#layout.tls) read(tls);
  }

  /** Writes the line of a connection of TCP mode, which has ended. */
  tcp(connection: Omit<TcpEntry, 'timeMs'>): void {
    if (this.#layout !== undefined)
      this.#sink?.write(this.#layout.tcp({ timeMs: this.#now(), ...connection }));
  }

  /** Writes the line for bytes that were not a request, and were answered with an error. */
  noteRefusal(connection: ClientConnection, refusal: Refusal): void {
    if (this.#layout !== undefined)
      this.#sink?.write(this.#layout.request(refusedEntry(connection, refusal, this.#now())));
  }

  #swap(file: string | undefined): void {
    try {
      const next = this.#open(file, this.#trouble);
      this.#sink?.close();
      this.#sink = next;
    } catch (thrown) {
      this.#log.err('access log not opened', { error: describeError(thrown) });
    }
  }
}
