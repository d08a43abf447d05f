/**
 * The field lines of a head or of trailers on HTTP/1.1 (RFC 9112 §5). PURE.
 *
 * Whatever could be understood in two ways is refused, also where the RFC would let a recipient guess: every end of a line but
 * CRLF, folded lines, white space before a colon, control characters.
 */
import { MalformedMessage } from './malformed.js';

const HTAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const ZERO = 0x30;
const COLON = 0x3a;

/** RFC 9110 §5.6.2, by code: 1 for what may stand in a name. */
export const IS_TOKEN = tableOf((code) => /[!#$%&'*+\-.^_`|~0-9A-Za-z]/.test(String.fromCharCode(code)));
/** RFC 9110 §5.5, by code: 1 for what may stand in a value. */
const IS_VALUE = tableOf((code) => code === HTAB || (code >= SPACE && code !== 0x7f));

/**
 * Parses field lines, each with its CRLF, to the end of a text.
 *
 * @param text one character for each octet (latin1).
 * @returns flat: `[name, value, …]`.
 * @throws MalformedMessage
 */
export function parseFields(text: string, start: number): string[] {
  const fields: string[] = [];
  for (let at = start; at < text.length;) {
    const nameStart = at;
    // Each character is read once: that is most of what a head costs.
    let code = text.charCodeAt(at);
    while (IS_TOKEN[code] === 1) code = text.charCodeAt((at += 1));
    if (at === nameStart || code !== COLON) {
      throw new MalformedMessage('malformed header field: invalid name');
    }
    const name = text.slice(nameStart, at);
    do code = text.charCodeAt((at += 1));
    while (isBlank(code));
    const valueStart = at;
    while (IS_VALUE[code] === 1) code = text.charCodeAt((at += 1));
    if (code !== CR || text.charCodeAt(at + 1) !== LF) {
      throw new MalformedMessage('malformed header field: invalid character in value');
    }
    let valueEnd = at;
    while (valueEnd > valueStart && isBlank(text.charCodeAt(valueEnd - 1))) valueEnd -= 1;
    at += 2;
    fields.push(name, text.slice(valueStart, valueEnd));
  }
  return fields;
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
