/**
 * The life of a client's connection on HTTP/1.1: its requests, one after the other, each from its head to the end of its response;
 * the time-outs between, and its end. What is read, and when, is for `request-reader.ts`.
 *
 * A client that ends its side is treated as gone: so does nginx where the connection ends, and Node does not tell the end of TLS alone
 * from that.
 *
 * A connection that we end is ended in two steps: our side first, and what the client still sends is dropped until it has
 * ended its own or some seconds are over. A close with bytes unread makes the kernel send a reset, which may overtake the answer and
 * destroy it in the client's hands (RFC 9112 §9.6).
 */
import type { ClientSocket } from '../../../net/client-socket.js';
import { destroyOnError } from '../../../net/destroy-on-error.js';
import { isConnected } from '../../../net/is-connected.js';
import { TakeWatch } from '../../../net/take-watch.js';
import { isEncrypting, isIdle } from '../../../net/writes-at-once.js';
import type { Tick, TickClock } from '../../../base/tick-clock.js';
import type { MalformedMessage } from '../../http1/malformed.js';
import { fieldLines } from '../../headers/fields.js';
import type { ClientConnection } from '../client-connection.js';
import type { ErrorStatus } from '../pages.js';
import type { RequestBody } from '../request-body.js';
import type { RequestContext, Tunnel, UpgradeRequest } from '../request-context.js';
import { newRequestId } from '../request-id.js';
import type { RequestHead } from './request-head.js';
import { RequestReader, type RequestReaderListener } from './request-reader.js';
import { Http1ResponseWriter, type AnsweredRequest, type ResponseConnection } from './response-writer.js';
import { writeParts } from './write-parts.js';

/** With so much unsent the backend is paused. Pausing at Node's 16 KiB would cost a download a third of its CPU time. */
const MAX_UNSENT_BYTES = 262_144;
/** How long a client that is told to end may send nothing, and how often that: half a minute, as nginx has it. */
const LINGER_MS = 5_000;
const MAX_LINGERS = 6;
const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';

/** Of what is no request: it is answered as one of HTTP/1.1 that says nothing of itself. */
const UNREAD: AnsweredRequest = { method: '', version: '1.1', accept: undefined };

const STATUS_OF_EXCESS = { head: 431, 'chunk extensions': 413 } as const;

/** What was answered to an invalid request. */
export interface Refusal {
  /** Of the page, and for the log. */
  readonly id: string;
  readonly status: ErrorStatus;
  /** Of the page. */
  readonly bytes: number;
}

/** What a session needs of its server. */
export interface Http1SessionOwner {
  readonly clock: TickClock;
  readonly draining: 'no' | 'idle connections may ask once more' | 'idle connections are closed';
  /** A request has come: it is to be answered, by `problem` where there is one. */
  onRequest(context: RequestContext, problem: ErrorStatus | undefined): void;
  /** What came was no request; it has been answered. */
  onRefusal(connection: ClientConnection, refusal: Refusal): void;
  onClosed(session: Http1Session): void;
}

/** As they are when the connection begins. */
export interface Http1SessionLimits {
  readonly maxHeaderBytes: number;
  /** From the first octet of a head to its last; for the first request from the beginning of the connection. */
  readonly headerTimeoutMs: number;
  /** Between two requests. */
  readonly idleTimeoutMs: number;
  /** How long a client may take nothing of the end of a response. */
  readonly bodyTimeoutMs: number;
}

type Phase =
  /** No request, or a part of its head. */
  | 'idle'
  /** A request is answered. */
  | 'busy'
  /** Our side is ended, or will be when what was written is out. */
  | 'closing'
  /** The connection has another protocol. */
  | 'switched'
  | 'closed';

export class Http1Session implements RequestReaderListener, ResponseConnection, UpgradeRequest {
  readonly client: ClientConnection;
  /** The tick at which `expire` is due. */
  deadline: Tick;
  readonly #owner: Http1SessionOwner;
  readonly #limits: Http1SessionLimits;
  readonly #socket: ClientSocket;
  readonly #reader: RequestReader;
  #phase: Phase = 'idle';
  /** It has asked nothing yet. Browsers open some connections to have them ready. */
  #isUnused = true;
  /** The request that is answered. */
  #head: RequestHead | undefined;
  #writer: Http1ResponseWriter | undefined;
  #isLast = false;
  /** Writes that are not out yet. */
  #writes = 0;
  #hasEnded = false;
  /** Of the end of a response that is slow to go out. */
  #takeWatch: TakeWatch | undefined;
  /** While it closes: how often it was looked whether the client sends still, and what it had sent by then. */
  #lingers = 0;
  #lingerBytes = 0;
  #bytesBeforeSwitch = 0;

  constructor(owner: Http1SessionOwner, client: ClientConnection, limits: Http1SessionLimits) {
    this.#owner = owner;
    this.client = client;
    this.#limits = limits;
    this.#socket = client.socket;
    this.#reader = new RequestReader(this, client.socket, limits.maxHeaderBytes);
    this.deadline = owner.clock.after(limits.headerTimeoutMs);
  }

  /** Begins to read. */
  begin(): void {
    const socket = this.#socket;
    socket.on('end', this.#onEnd);
    socket.on('drain', this.#onDrain);
    destroyOnError(socket);
    socket.on('close', this.#onClose);
    this.#reader.begin();
  }

  /** The deadline has passed. */
  expire(): void {
    this.deadline = Infinity;
    const isEnding = this.#phase === 'busy' && this.#hasEnded;
    if (isEnding && !(this.#takeWatch ??= new TakeWatch(this.#socket)).look()) this.#lookLater();
    else if (this.#phase === 'closing' && this.#isSending())
      this.deadline = this.#owner.clock.after(LINGER_MS);
    else if (this.#phase !== 'idle') this.#socket.destroy();
    else if (this.#reader.isWithin) this.#refuse(408);
    else this.#socket.destroy();
  }

  /** Closes the connection if it is idle. One that is just being used stays. */
  closeIfIdle(): void {
    if (this.#phase === 'idle' && !this.#reader.isWithin && (!this.#isUnused || this.#socket.bytesRead === 0))
      this.#socket.destroy();
  }

  // --- the request

  onHeadBegun(): void {
    // The first one has its time from the beginning of the connection.
    if (!this.#isUnused) this.deadline = this.#owner.clock.after(this.#limits.headerTimeoutMs);
  }

  onRequest(head: RequestHead, body: RequestBody | undefined): void {
    const writer = new Http1ResponseWriter(newRequestId(), head, this);
    this.#phase = 'busy';
    this.#isUnused = false;
    this.deadline = Infinity;
    this.#head = head;
    this.#writer = writer;
    this.#isLast = !head.isKept || head.problem !== undefined;
    const context: RequestContext = {
      client: writer,
      connection: this.client,
      method: head.method,
      url: head.target,
      host: head.host,
      headers: head.fields,
      httpVersion: head.version,
      body: body ?? null,
      startedAtMs: performance.now(),
      trace: undefined,
      upgrade: head.upgrade === undefined ? undefined : this,
    };
    this.#owner.onRequest(context, head.problem);
  }

  onBodyWanted(): void {
    if (this.#head?.awaitsContinue === true && this.#writer?.headersSent === false)
      this.write(CONTINUE, [], '');
  }

  onMalformed({ excess }: MalformedMessage): void {
    const status = excess === undefined ? 400 : STATUS_OF_EXCESS[excess];
    if (this.#phase !== 'busy') this.#refuse(status);
    // In its body. A response that has ended already may still be on its way.
    else if (this.#writer?.isOver === false) this.#writer.fail(status);
  }

  // --- the response

  isKept(): boolean {
    if (this.#owner.draining !== 'no' || !this.#reader.isDone) this.#isLast = true;
    return !this.#isLast;
  }

  get keepAliveFields(): string {
    return `Connection: keep-alive\r\nKeep-Alive: timeout=${Math.floor(this.#limits.idleTimeoutMs / 1000)}\r\n\r\n`;
  }

  endAfterResponse(): void {
    this.#isLast = true;
  }

  dropRequest(): void {
    this.#reader.discardBody();
  }

  get encryptsAtOnce(): boolean {
    return isEncrypting(this.#socket) && isIdle(this.#socket);
  }

  write(text: string, pieces: readonly Buffer[], tail: string): boolean {
    const socket = this.#socket;
    if (!socket.writable) return true;
    if (writeParts(socket, text, pieces, tail, this.#onWritten)) this.#writes += 1;
    return socket.writableLength < MAX_UNSENT_BYTES;
  }

  onEnd(): void {
    this.#hasEnded = true;
    this.#takeWatch = undefined;
    this.#lookLater();
    if (this.#writes === 0) process.nextTick(this.#onWritten);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  // --- another protocol

  get protocol(): string {
    return this.#head?.upgrade ?? '';
  }

  open(statusMessage: string, fields: readonly string[], protocol: string): Tunnel {
    const socket = this.#socket;
    const early = this.#reader.handOver();
    this.#phase = 'switched';
    this.deadline = Infinity;
    socket.off('end', this.#onEnd);
    socket.off('drain', this.#onDrain);
    const lines = fieldLines([...fields, 'Connection', 'Upgrade', 'Upgrade', protocol]);
    socket.write(`HTTP/1.1 101 ${statusMessage}\r\n${lines}\r\n`, 'latin1');
    this.#bytesBeforeSwitch = socket.bytesWritten;
    return { stream: socket, early };
  }

  // ---

  /** The response is over, and the connection is kept. */
  #next(): void {
    this.#phase = 'idle';
    this.deadline = this.#owner.clock.after(this.#limits.idleTimeoutMs);
    this.#reader.next();
    if (this.#owner.draining === 'idle connections are closed') setImmediate(() => this.closeIfIdle());
  }

  /** Whether the client sends on: to close would make the kernel send a reset, which takes from it what it has not read of the response. */
  #isSending(): boolean {
    const { bytesRead } = this.#socket;
    const hasSent = bytesRead > this.#lingerBytes;
    this.#lingerBytes = bytesRead;
    this.#lingers += 1;
    return hasSent && this.#lingers < MAX_LINGERS;
  }

  #lookLater(): void {
    this.deadline = this.#owner.clock.after(TakeWatch.everyMs(this.#limits.bodyTimeoutMs));
  }

  /** Answers what is no request, and ends the connection. */
  #refuse(status: ErrorStatus): void {
    const writer = new Http1ResponseWriter(newRequestId(), UNREAD, this);
    this.#isLast = true;
    writer.refuse(status);
    this.#close();
    this.#owner.onRefusal(this.client, { id: writer.id, status, bytes: writer.bodyBytes });
  }

  /** Ends our side, and drops what the client still sends. */
  #close(): void {
    this.#phase = 'closing';
    this.#lingerBytes = this.#socket.bytesRead;
    this.deadline = this.#owner.clock.after(LINGER_MS);
    this.#reader.stop();
    this.#socket.end();
  }

  readonly #onWritten = (error?: Error | null): void => {
    // `close` follows.
    if (error) return;
    if (this.#writes > 0) this.#writes -= 1;
    const writer = this.#writer;
    if (!this.#hasEnded || this.#writes > 0 || writer === undefined || this.#phase !== 'busy') return;
    this.#hasEnded = false;
    this.#writer = undefined;
    this.#head = undefined;
    writer.close(true);
    this.#reader.discardBody();
    // Of a client that has left nobody would know while its requests are not read.
    if (!this.#reader.isReading && !isConnected(this.#socket)) this.#socket.destroy();
    else if (this.#isLast || !this.#reader.isDone) this.#close();
    else this.#next();
  };

  readonly #onDrain = (): void => {
    this.#writer?.drained();
  };

  readonly #onEnd = (): void => {
    this.#reader.flush();
    // What was written is still going out.
    if (this.#phase === 'closing' && !this.#socket.writableFinished) return;
    this.#socket.destroy();
  };

  readonly #onClose = (): void => {
    const writer = this.#writer;
    const isSwitched = this.#phase === 'switched';
    this.#phase = 'closed';
    this.#writer = undefined;
    this.deadline = Infinity;
    this.#owner.onClosed(this);
    if (isSwitched && writer !== undefined) {
      writer.status = 101;
      writer.bodyBytes = this.#socket.bytesWritten - this.#bytesBeforeSwitch;
    }
    writer?.close(isSwitched);
    this.#reader.close();
  };
}
