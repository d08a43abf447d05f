/**
 * A client's connection on HTTP/1.1, and its requests, one after the other.
 *
 * What a client sends behind a request waits for its turn: some is read, or nobody would see that the client has gone; the rest
 * stays with the kernel. A client that ends its side is treated as gone.
 *
 * A connection that we end is ended in two steps: our side first, and what the client still sends is dropped until it has
 * ended its own or some seconds are over. A close with bytes unread makes the kernel send a reset, which may overtake the answer and
 * destroy it in the client's hands (RFC 9112 §9.6).
 */
import type { Socket } from 'node:net';
import { isConnected } from '../../../net/is-connected.js';
import { takeReads, type SocketReader } from '../../../net/socket-reads.js';
import { isEncrypting, isIdle } from '../../../net/writes-at-once.js';
import type { Tick, TickClock } from '../../http1/tick-clock.js';
import { MalformedMessage } from '../../http1/malformed.js';
import { fieldLines } from '../../headers/fields.js';
import type { ClientConnection } from '../client-connection.js';
import { errorPage, titleOf, type ErrorStatus } from '../pages.js';
import { RequestBody, type BodySource } from '../request-body.js';
import type { RequestContext, Tunnel, UpgradeRequest } from '../request-context.js';
import { newRequestId, REQUEST_ID } from '../request-id.js';
import { Inflow, type InflowListener } from './inflow.js';
import type { RequestHead } from './request-head.js';
import { RequestParser, type RequestListener } from './request-parser.js';
import { Http1ResponseWriter, type ResponseConnection } from './response-writer.js';
import { writeParts } from './write-parts.js';

/** With so many bytes waiting nothing more is read. One read can exceed it by 64 KiB. */
const MAX_HELD_BYTES = 131_072;
/** With so much unsent the backend is paused. Pausing at Node's 16 KiB would cost a download a third of its CPU time. */
const MAX_UNSENT_BYTES = 262_144;
const LINGER_MS = 5_000;
const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';

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

export class Http1Session
  implements SocketReader, InflowListener, RequestListener, BodySource, ResponseConnection, UpgradeRequest
{
  readonly client: ClientConnection;
  /** The tick at which `expire` is due. */
  deadline: Tick;
  readonly #owner: Http1SessionOwner;
  readonly #limits: Http1SessionLimits;
  readonly #socket: Socket;
  readonly #inflow: Inflow;
  readonly #parser: RequestParser;
  #phase: Phase = 'idle';
  /** It has asked nothing yet. Browsers open some connections to have them ready. */
  #isUnused = true;
  /** The bytes that are being read are overwritten afterwards. */
  #isShared = true;
  /** Some of the bytes that were read are still needed. */
  #keepsBytes = false;
  /** The request that is answered. */
  #head: RequestHead | undefined;
  #writer: Http1ResponseWriter | undefined;
  #body: RequestBody | undefined;
  #isBodyWanted = false;
  #isLast = false;
  /** Read behind the request that is answered. */
  #held: Buffer[] = [];
  #heldBytes = 0;
  #isReading = true;
  /** Writes that are not out yet. */
  #writes = 0;
  #hasEnded = false;
  #bytesBeforeSwitch = 0;

  constructor(owner: Http1SessionOwner, client: ClientConnection, limits: Http1SessionLimits) {
    this.#owner = owner;
    this.client = client;
    this.#limits = limits;
    this.#socket = client.socket;
    this.#inflow = new Inflow(this);
    this.#parser = new RequestParser(this, limits.maxHeaderBytes);
    this.deadline = owner.clock.after(limits.headerTimeoutMs);
  }

  /** Begins to read. */
  begin(): void {
    const socket = this.#socket;
    socket.on('end', this.#onEnd);
    socket.on('drain', this.#onDrain);
    socket.on('error', ignore);
    socket.once('close', this.#onClose);
    // What came behind a PROXY header was put back.
    for (let early = readOf(socket); early !== null; early = readOf(socket)) this.onBytes(early, false);
    if (!takeReads(socket, this)) socket.on('data', this.#onData);
    // Only now, lest a piece comes as an event.
    if (this.#isReading) socket.resume();
  }

  /** The deadline has passed. */
  expire(): void {
    this.deadline = Infinity;
    if (this.#phase !== 'idle') this.#socket.destroy();
    else if (this.#parser.isWithin) this.#refuse(408);
    else this.#socket.destroy();
  }

  /** Closes the connection if it is idle. One that is just being used stays. */
  closeIfIdle(): void {
    if (this.#phase === 'idle' && !this.#parser.isWithin && (!this.#isUnused || this.#socket.bytesRead === 0))
      this.#socket.destroy();
  }

  // --- what is read

  buffer(): Buffer {
    return this.#inflow.buffer();
  }

  onRead(bytes: Buffer): void {
    this.#inflow.onRead(bytes);
  }

  get mayWait(): boolean {
    return this.#phase === 'busy' && !this.#parser.isDone;
  }

  onBytes(bytes: Buffer, isShared: boolean): boolean {
    if (this.#phase === 'closing' || this.#phase === 'closed') return false;
    this.#keepsBytes = false;
    if (this.#held.length > 0 || !this.#takesMore) this.#hold(isShared ? Buffer.from(bytes) : bytes);
    else this.#feed(bytes, isShared);
    return this.#keepsBytes;
  }

  onRequestHead(head: RequestHead): void {
    const writer = new Http1ResponseWriter(newRequestId(), head, this);
    this.#phase = 'busy';
    this.#isUnused = false;
    this.deadline = Infinity;
    this.#head = head;
    this.#writer = writer;
    this.#isLast = !head.isKept || head.problem !== undefined;
    this.#isBodyWanted = false;
    this.#body = head.hasBody ? new RequestBody(this) : undefined;
    const context: RequestContext = {
      client: writer,
      connection: this.client,
      method: head.method,
      url: head.target,
      host: head.host,
      headers: head.fields,
      httpVersion: head.version,
      body: this.#body ?? null,
      startedAtMs: performance.now(),
      trace: undefined,
      ...(head.upgrade !== undefined && { upgrade: this }),
    };
    this.#owner.onRequest(context, head.problem);
    this.#adjustReading();
  }

  onBodyPiece(piece: Buffer): void {
    if (this.#body?.push(this.#isShared ? Buffer.from(piece) : piece) === true) this.#keepsBytes = true;
  }

  onRequestEnd(trailers: readonly string[]): void {
    this.#body?.finish(trailers);
  }

  // --- the request's body

  setReading(isWanted: boolean): void {
    this.#isBodyWanted = isWanted;
    this.#adjustReading();
  }

  onBodyWanted(): void {
    if (this.#head?.awaitsContinue === true && this.#writer?.headersSent === false)
      this.write(CONTINUE, [], '');
  }

  // --- the response

  isKept(): boolean {
    if (this.#owner.draining !== 'no' || !this.#parser.isDone) this.#isLast = true;
    return !this.#isLast;
  }

  get keepAliveFields(): string {
    return `Connection: keep-alive\r\nKeep-Alive: timeout=${Math.floor(this.#limits.idleTimeoutMs / 1000)}\r\n\r\n`;
  }

  endAfterResponse(): void {
    this.#isLast = true;
  }

  dropRequest(): void {
    this.#body?.discard();
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
    this.deadline = this.#owner.clock.after(this.#limits.bodyTimeoutMs);
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
    const early = this.#held;
    this.#held = [];
    this.#phase = 'switched';
    this.deadline = Infinity;
    this.#parser.stop();
    socket.off('end', this.#onEnd);
    socket.off('drain', this.#onDrain);
    socket.off('data', this.#onData);
    const lines = fieldLines([...fields, 'Connection', 'Upgrade', 'Upgrade', protocol]);
    socket.write(`HTTP/1.1 101 ${statusMessage}\r\n${lines}\r\n`, 'latin1');
    this.#bytesBeforeSwitch = socket.bytesWritten;
    return { stream: socket, early };
  }

  // ---

  /** Bytes can be read into the request that is under way, or into the next one. */
  get #takesMore(): boolean {
    return this.#phase === 'idle' || (this.#phase === 'busy' && !this.#parser.isDone);
  }

  #feed(bytes: Buffer, isShared: boolean): void {
    this.#isShared = isShared;
    let at = 0;
    const wasWithin = this.#parser.isWithin;
    try {
      while (at < bytes.length && this.#takesMore) at = this.#parser.read(bytes, at);
    } catch (thrown) {
      this.#onMalformed(thrown);
      return;
    }
    if (at < bytes.length && this.#phase === 'busy') {
      const rest = bytes.subarray(at);
      this.#held.unshift(isShared ? Buffer.from(rest) : rest);
      this.#keepsBytes = true;
      this.#heldBytes += rest.length;
      this.#adjustReading();
    } else if (this.#phase === 'idle' && this.#parser.isWithin !== wasWithin && !this.#isUnused) {
      // The next head has begun.
      this.deadline = this.#owner.clock.after(this.#limits.headerTimeoutMs);
    }
  }

  #hold(bytes: Buffer): void {
    this.#held.push(bytes);
    this.#keepsBytes = true;
    this.#heldBytes += bytes.length;
    this.#adjustReading();
  }

  /** The response is over, and the connection is kept. */
  #next(): void {
    this.#phase = 'idle';
    this.deadline = this.#owner.clock.after(this.#limits.idleTimeoutMs);
    this.#parser.next(this.#limits.maxHeaderBytes);
    while (this.#held.length > 0 && this.#takesMore) {
      const bytes = this.#held.shift();
      if (bytes === undefined) break;
      this.#heldBytes -= bytes.length;
      this.#feed(bytes, false);
    }
    this.#adjustReading();
    if (this.#owner.draining === 'idle connections are closed') setImmediate(() => this.closeIfIdle());
  }

  #onMalformed(thrown: unknown): void {
    // Anything else is a mistake of ours.
    if (!(thrown instanceof MalformedMessage)) throw thrown;
    const status = thrown.excess === undefined ? 400 : STATUS_OF_EXCESS[thrown.excess];
    this.#parser.stop();
    if (this.#phase === 'busy') {
      // In its body. Whoever passes that on hears of it when the answer is out.
      this.#body?.discard();
      // A response that has ended already may still be on its way.
      if (this.#writer?.isOver === false) this.#writer.fail(status);
    } else {
      this.#refuse(status);
    }
  }

  /** Answers what is no request, and ends the connection. */
  #refuse(status: ErrorStatus): void {
    const id = newRequestId();
    const { contentType, body } = errorPage(status, { id });
    const bytes = Buffer.byteLength(body);
    const fields = [
      'Content-Type',
      contentType,
      'Content-Length',
      String(bytes),
      REQUEST_ID,
      id,
      'Connection',
      'close',
    ];
    this.write(`HTTP/1.1 ${titleOf(status)}\r\n${fieldLines(fields)}\r\n`, [Buffer.from(body)], '');
    this.#close();
    this.#owner.onRefusal(this.client, { id, status, bytes });
  }

  /** Ends our side, and drops what the client still sends. */
  #close(): void {
    this.#phase = 'closing';
    this.deadline = this.#owner.clock.after(LINGER_MS);
    this.#parser.stop();
    this.#held = [];
    this.#heldBytes = 0;
    this.#adjustReading();
    this.#socket.end();
  }

  /** Reads as the state has it. */
  #adjustReading(): void {
    const isWanted =
      this.#phase !== 'busy' || (this.#parser.isDone ? this.#heldBytes < MAX_HELD_BYTES : this.#isBodyWanted);
    if (isWanted === this.#isReading) return;
    this.#isReading = isWanted;
    if (isWanted) this.#socket.resume();
    else this.#socket.pause();
  }

  readonly #onData = (bytes: Buffer): void => {
    this.onBytes(bytes, false);
  };

  readonly #onWritten = (error?: Error | null): void => {
    // `close` follows.
    if (error) return;
    if (this.#writes > 0) this.#writes -= 1;
    const writer = this.#writer;
    if (!this.#hasEnded || this.#writes > 0 || writer === undefined || this.#phase !== 'busy') return;
    this.#hasEnded = false;
    this.#writer = undefined;
    this.#head = undefined;
    const body = this.#body;
    this.#body = undefined;
    writer.close(true);
    body?.discard();
    // Of a client that has left nobody would know while its requests are not read.
    if (!this.#isReading && !isConnected(this.#socket)) this.#socket.destroy();
    else if (this.#isLast || !this.#parser.isDone) this.#close();
    else this.#next();
  };

  readonly #onDrain = (): void => {
    this.#writer?.drained();
  };

  readonly #onEnd = (): void => {
    this.#inflow.flush();
    // What was written is still going out.
    if (this.#phase === 'closing' && !this.#socket.writableFinished) return;
    this.#socket.destroy();
  };

  readonly #onClose = (): void => {
    const writer = this.#writer;
    const body = this.#body;
    const isSwitched = this.#phase === 'switched';
    this.#phase = 'closed';
    this.#writer = undefined;
    this.#body = undefined;
    this.#held = [];
    this.deadline = Infinity;
    this.#owner.onClosed(this);
    if (isSwitched && writer !== undefined) {
      writer.status = 101;
      writer.bodyBytes = this.#socket.bytesWritten - this.#bytesBeforeSwitch;
    }
    writer?.close(isSwitched);
    body?.fail('the client has gone');
  };
}

function readOf(socket: Socket): Buffer | null {
  return socket.readableLength === 0 ? null : (socket.read() as Buffer | null);
}

function ignore(): void {
  // `close` follows.
}
