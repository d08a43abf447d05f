/**
 * Parses the chunks of a body (RFC 9112 §7.1), fed with pieces of any size. PURE.
 *
 * As strict as the head's parser: only CRLF ends a line, nothing stands between a size and its line's end but an extension that
 * begins with `;`, or blanks where they are allowed, and a size has digits.
 */
import { hexValue, parseFields } from './field-lines.js';
import { MalformedMessage } from './malformed.js';

const HTAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const SEMICOLON = 0x3b;
/** 2^48 octets. */
const MAX_SIZE_DIGITS = 12;
/** Of all extensions and padding of a body together: nobody needs them, and what is read and dropped must be bounded. */
const MAX_EXTENSION_BYTES = 16_384;
const MAX_TRAILER_BYTES = 65_536;
/** A chunk up to this is moved behind the one before it: passing on a piece costs more than that. */
const MAX_MOVED_BYTES = 4_096;

type State =
  'size' | 'padding' | 'extension' | 'size LF' | 'data' | 'data CR' | 'data LF' | 'trailers' | 'done';

export class ChunkedParser {
  readonly #allowsPadding: boolean;
  #state: State = 'size';
  #digits = 0;
  /** What is missing of the chunk. */
  #left = 0;
  #extensionBytes = 0;
  /** The whole lines of the trailers so far. */
  #trailerText = '';
  /** The beginning of the next one. */
  #trailerLine = '';
  #trailers: readonly string[] = [];

  /** @param allowsPadding blanks may stand behind a size: some backends pad it, and no client does. */
  constructor(allowsPadding = false) {
    this.#allowsPadding = allowsPadding;
  }

  get isDone(): boolean {
    return this.#state === 'done';
  }

  /** Once it is done; flat. */
  get trailers(): readonly string[] {
    return this.#trailers;
  }

  /**
   * Reads on.
   *
   * Small chunks that come together are given together: they are moved over the framing between them. A client could make a
   * write to the backend out of every six octets otherwise.
   *
   * @param bytes what has been read of them may be written over.
   * @param onData is given what is body, as parts of `bytes`; where the reading fails, not the last of it.
   * @returns where the reading ended: behind the body if it is done, else at the end of `bytes`.
   * @throws MalformedMessage
   */
  read(bytes: Buffer, start: number, onData: (piece: Buffer) => void): number {
    let at = start;
    let pieceStart = start;
    let pieceEnd = start;
    while (at < bytes.length && this.#state !== 'done') {
      if (this.#state === 'data') {
        const end = Math.min(bytes.length, at + this.#left);
        this.#left -= end - at;
        if (this.#left === 0) this.#state = 'data CR';
        if (pieceStart < pieceEnd && end - at <= MAX_MOVED_BYTES) {
          bytes.copyWithin(pieceEnd, at, end);
          pieceEnd += end - at;
        } else {
          if (pieceStart < pieceEnd) onData(bytes.subarray(pieceStart, pieceEnd));
          pieceStart = at;
          pieceEnd = end;
        }
        at = end;
      } else if (this.#state === 'trailers') {
        at = this.#readTrailers(bytes, at);
      } else {
        this.#step(bytes[at] ?? 0);
        at += 1;
      }
    }
    if (pieceStart < pieceEnd) onData(bytes.subarray(pieceStart, pieceEnd));
    return at;
  }

  #step(code: number): void {
    switch (this.#state) {
      case 'size':
        this.#readSize(code);
        break;
      case 'padding':
        this.#countExtension();
        this.#readBehindSize(code);
        break;
      case 'extension':
        this.#countExtension();
        if (code === CR) this.#state = 'size LF';
        else if ((code < 0x20 && code !== 0x09) || code === 0x7f) {
          throw new MalformedMessage('a chunk extension is malformed');
        }
        break;
      case 'size LF':
        if (code !== LF) throw new MalformedMessage('the line of a chunk size does not end with CRLF');
        this.#digits = 0;
        this.#state = this.#left === 0 ? 'trailers' : 'data';
        break;
      case 'data CR':
        if (code !== CR) throw new MalformedMessage('a chunk is longer than its size');
        this.#state = 'data LF';
        break;
      default:
        if (code !== LF) throw new MalformedMessage('a chunk does not end with CRLF');
        this.#state = 'size';
    }
  }

  #readSize(code: number): void {
    const value = hexValue(code);
    if (value >= 0) {
      this.#digits += 1;
      if (this.#digits > MAX_SIZE_DIGITS) throw new MalformedMessage('a chunk size is too long');
      this.#left = this.#left * 16 + value;
      return;
    }
    if (this.#digits === 0) throw new MalformedMessage('a chunk has no size');
    this.#readBehindSize(code);
  }

  #readBehindSize(code: number): void {
    if (code === CR) this.#state = 'size LF';
    else if (code === SEMICOLON) this.#state = 'extension';
    else if ((code === SPACE || code === HTAB) && this.#allowsPadding) this.#state = 'padding';
    else throw new MalformedMessage('a chunk size is malformed');
  }

  #countExtension(): void {
    this.#extensionBytes += 1;
    if (this.#extensionBytes > MAX_EXTENSION_BYTES)
      throw new MalformedMessage('chunk extensions are too long', 'chunk extensions');
  }

  #readTrailers(bytes: Buffer, start: number): number {
    const feed = bytes.indexOf(LF, start);
    const end = feed === -1 ? bytes.length : feed + 1;
    const line = this.#trailerLine + bytes.toString('latin1', start, end);
    if (this.#trailerText.length + line.length > MAX_TRAILER_BYTES)
      throw new MalformedMessage('the trailers are too long', 'head');
    this.#trailerLine = feed === -1 ? line : '';
    if (feed === -1) return end;
    if (!line.endsWith('\r\n')) throw new MalformedMessage('a trailer does not end with CRLF');
    if (line.length > 2) {
      this.#trailerText += line;
      return end;
    }
    this.#trailers = parseFields(this.#trailerText, 0);
    this.#trailerText = '';
    this.#state = 'done';
    return end;
  }
}
