/**
 * The head of a response on HTTP/1.1, as a backend sends it (RFC 9112). PURE.
 *
 * The client must get the response that is read here: whatever could be understood in two ways is refused, also where the RFC would
 * let a recipient guess. That is every end of a line but CRLF, folded lines, white
 * space before a colon, control characters, two lengths, a length beside a coding, and all codings but `chunked`. A length that is
 * said more than once, always the same, has one reading: it is passed on once.
 */
import { parseFields } from '../../http1/field-lines.js';
import { MalformedMessage } from '../../http1/malformed.js';

export interface ResponseHead {
  readonly status: number;
  readonly reason: string;
  /** Flat, as they came. */
  readonly fields: string[];
  /** Octets. */
  readonly contentLength: number | undefined;
  readonly isChunked: boolean;
  /** The connection can serve another request after this one. */
  readonly isKept: boolean;
  /** From `Keep-Alive: timeout=`: how long the backend leaves an idle connection open. */
  readonly keepAliveMs: number | undefined;
}

/** 15 digits are exact in a number, and a thousand terabytes. */
const LENGTH = /^\d{1,15}$/;
const LENGTH_IN_LIST = /^[ \t]*(\d{1,15})[ \t]*$/;
const STATUS_LINE = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: ([\t\x20-\x7e\x80-\xff]*))?$/;
const TIMEOUT = /(?:^|[,;\s])timeout\s*=\s*(\d{1,6})(?:$|[,;\s])/i;

/**
 * Parses a head.
 *
 * @param text one character for each octet (latin1), up to the CRLF of the last field; the empty line is left out.
 * @throws MalformedMessage
 */
export function parseResponseHead(text: string): ResponseHead {
  const lineEnd = text.indexOf('\r\n');
  const line = STATUS_LINE.exec(text.slice(0, lineEnd));
  if (lineEnd < 0 || line === null) throw new MalformedMessage('invalid status line');
  const fields = parseFields(text, lineEnd + 2);
  const { contentLength, isChunked, isKept, keepAliveMs } = framingOf(fields, line[1] === '0');
  const status = Number(line[2]);
  // Each member is written out: a spread costs more than the rest of this function.
  return { status, reason: line[3] ?? '', fields, contentLength, isChunked, isKept, keepAliveMs };
}

type Framing = Pick<ResponseHead, 'contentLength' | 'isChunked' | 'isKept' | 'keepAliveMs'>;

/** RFC 9112 §6.3, without its leniency but for a length that is repeated: what repeats it is taken out of the fields. */
function framingOf(fields: string[], isHttp10: boolean): Framing {
  let contentLength: number | undefined;
  let isChunked = false;
  let isKept = !isHttp10;
  let keepAliveMs: number | undefined;
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const name = fields[i] ?? '';
    const { length } = name;
    // Skip most fields by the length of their name.
    if (length !== 10 && length !== 14 && length !== 17) continue;
    const value = fields[i + 1] ?? '';
    switch (name.toLowerCase()) {
      case 'content-length': {
        const length = lengthOf(value);
        if (contentLength === undefined) {
          contentLength = length;
          if (value.includes(',')) fields[i + 1] = String(length);
        } else if (length === contentLength) {
          fields.splice(i, 2);
          i -= 2;
        } else {
          throw new MalformedMessage('Content-Length has two values');
        }
        break;
      }
      case 'transfer-encoding':
        if (isChunked) throw new MalformedMessage('Transfer-Encoding is given twice');
        if (isHttp10) throw new MalformedMessage('Transfer-Encoding in HTTP/1.0');
        if (value.toLowerCase() !== 'chunked') throw new MalformedMessage('Transfer-Encoding is not chunked');
        isChunked = true;
        break;
      case 'connection':
        // Nearly always the first.
        if (value !== 'keep-alive' && /(?:^|[\s,])close(?:$|[\s,])/i.test(value)) isKept = false;
        break;
      case 'keep-alive': {
        const seconds = TIMEOUT.exec(value)?.[1];
        if (seconds !== undefined) keepAliveMs = Number(seconds) * 1000;
        break;
      }
    }
  }
  if (isChunked && contentLength !== undefined) {
    throw new MalformedMessage('Content-Length beside Transfer-Encoding');
  }
  return { contentLength, isChunked, isKept, keepAliveMs };
}

/** A length, be it said as a list of the same (RFC 9110 §8.6). */
function lengthOf(value: string): number {
  if (LENGTH.test(value)) return Number(value);
  const values = value.split(',').map((one) => Number(LENGTH_IN_LIST.exec(one)?.[1] ?? NaN));
  if (values.some(Number.isNaN)) throw new MalformedMessage('Content-Length is not a number');
  const [length = NaN, ...others] = values;
  if (others.some((other) => other !== length)) throw new MalformedMessage('Content-Length has two values');
  return length;
}
