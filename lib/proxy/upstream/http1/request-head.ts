/**
 * The head of a request as it is written to a backend on HTTP/1.1. PURE.
 *
 * Its parts come from parsers that have checked them. They are checked again: other requests use the connection afterwards, and must
 * not suffer from a malformed one.
 */
import { eachField, fieldLines } from '../../headers/fields.js';
import { invalidRequest, type UpstreamRequest } from '../upstream.js';

export interface RequestHead {
  /** With the empty line; one character for each octet (latin1). */
  readonly text: string;
  /** What the body must have; undefined: it is sent in chunks. 0 without a body. */
  readonly bodyBytes: number | undefined;
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const NOT_IN_TARGET = /[^\x21-\x7e\x80-\xff]/;
const NOT_IN_VALUE = /[^\t\x20-\x7e\x80-\xff]/;
const LENGTH = /^\d{1,15}$/;

/** Requests with these methods send `Content-Length: 0` where they have no body (RFC 9110 §8.6). */
const EXPECT_BODY = new Set(['POST', 'PUT', 'PATCH']);

/**
 * @param fallbackHost where the request names none, as on HTTP/1.0.
 * @throws UpstreamError `invalid`
 */
export function requestHead(request: UpstreamRequest, fallbackHost: string): RequestHead {
  const { method, path, host = fallbackHost, headers, added, body, upgrade } = request;
  if (!TOKEN.test(method)) throw invalidRequest('the method is malformed');
  if (path === '' || NOT_IN_TARGET.test(path)) throw invalidRequest('the target is malformed');
  if (NOT_IN_VALUE.test(host)) throw invalidRequest('the host is malformed');
  let text = `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\n`;
  if (upgrade === undefined) text += 'Connection: keep-alive\r\n';
  else if (NOT_IN_VALUE.test(upgrade)) throw invalidRequest('the protocol is malformed');
  else text += `Connection: Upgrade\r\nUpgrade: ${upgrade}\r\n`;
  let length: string | undefined;
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] ?? '';
    const value = headers[i + 1] ?? '';
    checkField(name, value);
    if (decidesFraming(name)) {
      if (length !== undefined || name.length !== 'content-length'.length || !LENGTH.test(value)) {
        throw invalidRequest('the length of the body is ambiguous');
      }
      length = value;
    }
    text += `${name}: ${value}\r\n`;
  }
  if (added !== undefined) text += added.lines(addedLines);
  if (body === null) {
    if (Number(length ?? 0) !== 0) throw invalidRequest('Content-Length is given without a body');
    if (length === undefined && EXPECT_BODY.has(method)) text += 'Content-Length: 0\r\n';
    return { text: `${text}\r\n`, bodyBytes: 0 };
  }
  if (length !== undefined) return { text: `${text}\r\n`, bodyBytes: Number(length) };
  return { text: `${text}Transfer-Encoding: chunked\r\n\r\n`, bodyBytes: undefined };
}

/** @throws UpstreamError `invalid` */
function addedLines(list: readonly string[]): string {
  eachField(list, (name, value) => {
    checkField(name, value);
    if (decidesFraming(name)) throw invalidRequest('the length of the body is ambiguous');
  });
  return fieldLines(list);
}

/** @throws UpstreamError `invalid` */
function checkField(name: string, value: string): void {
  if (!TOKEN.test(name) || NOT_IN_VALUE.test(value)) throw invalidRequest('a field is malformed');
}

function decidesFraming(name: string): boolean {
  if (name.length === 14) return name.toLowerCase() === 'content-length';
  return name.length === 17 && name.toLowerCase() === 'transfer-encoding';
}

/** Trailers as they are written, each with its CRLF. Invalid ones are left out. */
export function trailerText(trailers: readonly string[]): string {
  let text = '';
  for (let i = 0; i + 1 < trailers.length; i += 2) {
    const name = trailers[i] ?? '';
    const value = trailers[i + 1] ?? '';
    if (TOKEN.test(name) && !NOT_IN_VALUE.test(value)) text += `${name}: ${value}\r\n`;
  }
  return text;
}
