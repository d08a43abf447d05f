/**
 * The head of a response on HTTP/1.1, as a backend sends it (RFC 9112). PURE.
 *
 * The client must get the response that is read here: whatever could be understood in two ways is refused, also where the RFC would
 * let a recipient guess. That is every end of a line but CRLF, folded lines, white
 * space before a colon, control characters, a length that is given twice or beside a coding, and all codings but `chunked`.
 */
import { malformedResponse } from '../upstream.js';

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

const HTAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const ZERO = 0x30;
const COLON = 0x3a;

/** RFC 9110 §5.6.2, by code: 1 for what may stand in a name. */
const IS_TOKEN = tableOf((code) => /[!#$%&'*+\-.^_`|~0-9A-Za-z]/.test(String.fromCharCode(code)));
/** RFC 9110 §5.5, by code: 1 for what may stand in a value. */
const IS_VALUE = tableOf((code) => code === HTAB || (code >= SPACE && code !== 0x7f));

/** 15 digits are exact in a number, and a thousand terabytes. */
const LENGTH = /^\d{1,15}$/;
const STATUS_LINE = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: ([\t\x20-\x7e\x80-\xff]*))?$/;
const TIMEOUT = /(?:^|[,;\s])timeout\s*=\s*(\d{1,6})(?:$|[,;\s])/i;

/**
 * Parses a head.
 *
 * @param text one character for each octet (latin1), up to the CRLF of the last field; the empty line is left out.
 * @throws UpstreamError `malformed`
 */
export function parseResponseHead(text: string): ResponseHead {
  const lineEnd = text.indexOf('\r\n');
  const line = STATUS_LINE.exec(text.slice(0, lineEnd));
  if (lineEnd < 0 || line === null) throw malformedResponse('invalid status line');
  const fields = parseFields(text, lineEnd + 2);
  return { status: Number(line[2]), reason: line[3] ?? '', fields, ...framingOf(fields, line[1] === '0') };
}

/**
 * Parses field lines, each with its CRLF, to the end of a text.
 *
 * @throws UpstreamError `malformed`
 */
export function parseFields(text: string, start: number): string[] {
  const fields: string[] = [];
  for (let at = start; at < text.length;) {
    const nameStart = at;
    while (IS_TOKEN[text.charCodeAt(at)] === 1) at += 1;
    if (at === nameStart || text.charCodeAt(at) !== COLON) {
      throw malformedResponse('malformed header field: invalid name');
    }
    const name = text.slice(nameStart, at);
    at += 1;
    while (isBlank(text.charCodeAt(at))) at += 1;
    const valueStart = at;
    let valueEnd = at;
    for (; IS_VALUE[text.charCodeAt(at)] === 1; at += 1) {
      if (!isBlank(text.charCodeAt(at))) valueEnd = at + 1;
    }
    if (text.charCodeAt(at) !== CR || text.charCodeAt(at + 1) !== LF) {
      throw malformedResponse('malformed header field: invalid character in value');
    }
    at += 2;
    fields.push(name, text.slice(valueStart, valueEnd));
  }
  return fields;
}

/**
 * Whether there is an LF without its CR in a head that is not complete yet: such a head is refused before its end.
 *
 * @param start looked at from there on; what is before has been.
 */
export function hasBareLineFeed(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = bytes.indexOf(LF, start); at !== -1 && at < end; at = bytes.indexOf(LF, at + 1)) {
    if (bytes[at - 1] !== CR) return true;
  }
  return false;
}

type Framing = Pick<ResponseHead, 'contentLength' | 'isChunked' | 'isKept' | 'keepAliveMs'>;

/** RFC 9112 §6.3, without its leniency. */
function framingOf(fields: readonly string[], isHttp10: boolean): Framing {
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
      case 'content-length':
        if (contentLength !== undefined) throw malformedResponse('Content-Length is given twice');
        if (!LENGTH.test(value)) throw malformedResponse('Content-Length is not a number');
        contentLength = Number(value);
        break;
      case 'transfer-encoding':
        if (isChunked) throw malformedResponse('Transfer-Encoding is given twice');
        if (isHttp10) throw malformedResponse('Transfer-Encoding in HTTP/1.0');
        if (value.toLowerCase() !== 'chunked') throw malformedResponse('Transfer-Encoding is not chunked');
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
    throw malformedResponse('Content-Length beside Transfer-Encoding');
  }
  return { contentLength, isChunked, isKept, keepAliveMs };
}

function isBlank(code: number): boolean {
  return code === SPACE || code === HTAB;
}

function tableOf(has: (code: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, code) => (has(code) ? 1 : 0));
}

/** The value of a hexadecimal digit; -1 for any other character. */
export function hexValue(code: number): number {
  if (code >= ZERO && code <= 0x39) return code - ZERO;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
