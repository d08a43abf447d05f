/**
 * The requests of an HTTP/1.1 connection, one after the other.
 *
 * Node's server hands over every request that its parser has read, whether the one before has been answered or not: thousands
 * of one segment. And it pauses a parser that is given what TLS has decrypted already all the same: a 400 in the middle of good
 * requests. Here the parser stops behind a head that comes while a response is under way. That head waits for its turn, and so
 * do the bytes behind it: some are read, or nobody would see that the client has gone; the others stay with the kernel.
 *
 * What is undocumented of Node's parser, and the same from Node 20 to 26, is in this file: its callbacks, and that what
 * `onIncoming` returns is llhttp's answer. A connection that has nothing waiting is read as ever, without a copy.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { announcesBody } from './http1-response-writer.js';
import { lingerOnClose } from './linger.js';
import { passableProtocol } from '../headers/upgrade-field.js';

/** llhttp's HPE_PAUSED: its callback for a head may return it, and the parser stops right behind the head. */
const PAUSED = 21;

/** With so many bytes waiting nothing more is read. One read can exceed it by 64 KiB. */
const MAX_HELD_BYTES = 131_072;

const TURNS = Symbol('turns');

interface ParsedRequest extends IncomingMessage {
  /** Wants to change the protocol. What Node's server finds here decides what it does. */
  upgrade: boolean;
}

/** How far the parser has come, or what it cannot read. */
type ParseResult = number | (Error & { readonly bytesParsed?: number });

type OnExecute = (this: Parser, result: ParseResult) => void;

interface Parser {
  readonly socket: ServedSocket | null;
  readonly constructor: { readonly kOnExecute: number };
  /** A head has been read. */
  onIncoming: (this: Parser, request: ParsedRequest, keepAlive: boolean) => number;
  /** At `kOnExecute`: the parser was given what was read from the connection. */
  [callback: number]: OnExecute | null | undefined;
  /** What it was given, as a copy. Within that callback only. */
  getCurrentBuffer(): Buffer;
  execute(bytes: Buffer): ParseResult;
  pause(): void;
  resume(): void;
}

interface ServedSocket extends Socket {
  readonly server: { emit(event: 'clientError', error: Error, socket: Socket): boolean };
  /** Null once the connection is closed or has changed its protocol. */
  readonly parser: Parser | null;
  readonly _handle: {
    reading: boolean;
    readStart(): number;
    readStop(): number;
    /** Not on a unix socket. */
    getpeername?(out: object): number;
  } | null;
  [TURNS]?: Turns;
}

export class Turns {
  /** The response that is under way. */
  current: ServerResponse | undefined;
  readonly #socket: ServedSocket;
  readonly #parser: Parser;
  readonly #dispatch: Parser['onIncoming'];
  readonly #onExecute: OnExecute;
  /** The head that waits. */
  #next: { readonly request: ParsedRequest; readonly keepAlive: boolean } | undefined;
  /** What has been read behind it. The parser is paused as long as there is a list, be it an empty one. */
  #held: Buffer[] | undefined;
  #heldBytes = 0;
  /** What is wrong with what follows the request whose response is under way. */
  #failure: Error | undefined;
  #isChangingProtocol = false;
  /** The newest request, if its `Upgrade` is ignored. For the parser another protocol begins behind it: it stops there. */
  #ignored: ParsedRequest | undefined;
  /** The parser has stopped there. Until the next head it reports no error: it just takes no more. */
  #isMute = false;

  /** @param connected one that Node's server has just been given. */
  constructor(connected: Socket) {
    const socket = connected as ServedSocket;
    const { parser } = socket;
    const onExecute = parser?.[parser.constructor.kOnExecute];
    if (parser === null || !onExecute) throw new TypeError('a connection without a parser');
    this.#socket = socket;
    this.#parser = parser;
    this.#dispatch = parser.onIncoming;
    this.#onExecute = onExecute;
    socket[TURNS] = this;
    parser.onIncoming = onIncoming;
    parser[parser.constructor.kOnExecute] = onBytes;
  }

  /** The response is over: it is the turn of the next request. */
  advance(): void {
    this.current = undefined;
    if (!this.#socket.writable) {
      this.#drop();
    } else if (this.#failure !== undefined) {
      this.#socket.server.emit('clientError', this.#failure, this.#socket);
    } else if (this.#held !== undefined) {
      if (this.#isConnected) this.#goOn(this.#held);
      else this.#socket.destroy();
    }
  }

  /**
   * Defers an error that does not belong to the request whose response is under way.
   *
   * @returns false where it is to be answered now.
   */
  defer(error: Error & { readonly code?: string }): boolean {
    if (this.current?.req.complete !== true || !this.#socket.writable) return false;
    // A client that has ended its side is treated as gone.
    if (error.code === 'HPE_INVALID_EOF_STATE') this.#socket.destroy();
    else this.#failure ??= error;
    return true;
  }

  /** Reads what came before the connection was handed over. */
  begin(early: Buffer[]): void {
    this.#feed(early);
  }

  /** Takes the bytes that were read behind a request that changes the protocol. */
  takeHeld(): Buffer[] {
    const held = this.#held ?? [];
    this.#held = undefined;
    return held;
  }

  /** A head has been read. @returns what the parser is to do. */
  onHead(request: ParsedRequest, keepAlive: boolean): number {
    this.#ignored = undefined;
    this.#isMute = false;
    if (this.current === undefined && this.#socket.writable) return this.#answer(request, keepAlive);
    this.#next = { request, keepAlive };
    return PAUSED;
  }

  /** The parser was given what was read. */
  onBytes(result: ParseResult): void {
    if (this.#held !== undefined) {
      this.#keep(this.#parser.getCurrentBuffer());
    } else if (this.#next === undefined && this.#ignored === undefined) {
      this.#onExecute.call(this.#parser, result);
    } else {
      this.#look(this.#parser.getCurrentBuffer(), result, []);
    }
  }

  #answer(request: ParsedRequest, keepAlive: boolean): number {
    if (request.upgrade) {
      this.#isChangingProtocol =
        request.method === 'CONNECT' || (asksForProtocol(request) && !announcesBody(request));
      request.upgrade = this.#isChangingProtocol;
      if (!this.#isChangingProtocol) this.#ignored = request;
    }
    return this.#dispatch.call(this.#parser, request, keepAlive);
  }

  #goOn(held: Buffer[]): void {
    const next = this.#next;
    this.#next = undefined;
    this.#held = undefined;
    if (next !== undefined) this.#answer(next.request, next.keepAlive);
    this.#parser.resume();
    this.#feed(held);
  }

  /** Gives the parser what was held, as far as it takes it. */
  #feed(waiting: Buffer[]): void {
    this.#heldBytes = 0;
    for (let bytes = waiting.shift(); bytes !== undefined; bytes = waiting.shift()) {
      const result = this.#parser.execute(bytes);
      if (this.#isChangingProtocol) {
        // Later bytes belong to the new protocol. Node hands over only the buffer that it read last: keep the rest here.
        this.#held = [bytes.subarray(positionOf(result)), ...waiting];
        this.#read();
        this.#onExecute.call(this.#parser, result);
        return;
      }
      this.#look(bytes, result, waiting);
      // The parser has stopped, and the rest waits again; or the connection is closed.
      if (this.#held !== undefined || this.#socket.parser !== this.#parser) return;
    }
    this.#read();
  }

  /**
   * Looks at what the parser has made of some bytes.
   *
   * @param behind what was read after them.
   */
  #look(bytes: Buffer, result: ParseResult, behind: readonly Buffer[]): void {
    const rest = bytes.subarray(positionOf(result));
    if (this.#next !== undefined) {
      this.#hold([rest, ...behind]);
    } else if (this.#ignored === undefined) {
      this.#onExecute.call(this.#parser, result);
    } else if (this.#ignored.complete && !this.#isMute) {
      this.#isMute = true;
      if (rest.length === 0) return;
      this.#parser.pause();
      this.#hold([rest, ...behind]);
    } else if (rest.length > 0) {
      this.#onExecute.call(this.#parser, malformed());
    }
  }

  #hold(bytes: Buffer[]): void {
    this.#held = [];
    // The client is still sending: whatever closes the connection now must not lose the answer to a reset.
    lingerOnClose(this.#socket);
    for (const piece of bytes) this.#keep(piece);
  }

  #keep(bytes: Buffer): void {
    if (!this.#socket.writable) return;
    this.#held?.push(bytes);
    this.#heldBytes += bytes.length;
    const { _handle: handle } = this.#socket;
    if (this.#heldBytes < MAX_HELD_BYTES || handle?.reading !== true) return;
    handle.reading = false;
    handle.readStop();
  }

  /** The connection ends: what waits, and what is still read, is discarded. */
  #drop(): void {
    if (this.#held === undefined) return;
    this.#next = undefined;
    this.#held = [];
    this.#read();
  }

  #read(): void {
    const { _handle: handle } = this.#socket;
    if (handle === null || handle.reading) return;
    handle.reading = true;
    handle.readStart();
  }

  /** Whether the client is still there: one that has closed answers the response with a reset, which is not read while bytes wait. */
  get #isConnected(): boolean {
    return (this.#socket._handle?.getpeername?.({}) ?? 0) === 0;
  }
}

/** Whether a request asks for a protocol that is passed on: any other `Upgrade` is ignored (RFC 9110 §7.8). */
export function asksForProtocol({ headers, httpVersion }: IncomingMessage): boolean {
  if (httpVersion === '1.0' || passableProtocol(headers.upgrade) === undefined) return false;
  return (headers.connection ?? '').split(',').some((option) => option.trim().toLowerCase() === 'upgrade');
}

function positionOf(result: ParseResult): number {
  return typeof result === 'number' ? result : (result.bytesParsed ?? 0);
}

function malformed(): Error {
  return Object.assign(new Error('Parse Error'), { code: 'HPE_UNKNOWN', bytesParsed: 0 });
}

function turnsOf({ socket }: Parser): Turns {
  const turns = socket?.[TURNS];
  if (turns === undefined) throw new TypeError('an HTTP parser without a connection of the server');
  return turns;
}

function onIncoming(this: Parser, request: ParsedRequest, keepAlive: boolean): number {
  return turnsOf(this).onHead(request, keepAlive);
}

function onBytes(this: Parser, result: ParseResult): void {
  turnsOf(this).onBytes(result);
}
