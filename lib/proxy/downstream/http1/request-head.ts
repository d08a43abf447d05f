/**
 * The head of a request on HTTP/1.1, as a client sends it (RFC 9112). PURE.
 *
 * The backend must get the request that is read here: whatever could be understood in two ways is refused.
 *
 * | what                                                                   | is                                        |
 * |------------------------------------------------------------------------|-------------------------------------------|
 * | a malformed line or field, a length twice or beside a coding, a coding | no request (`MalformedMessage`): 400, with |
 * | in HTTP/1.0                                                            | nothing of it in the log                  |
 * | another version than 1.0 and 1.1                                       | refused, 505                              |
 * | a coding that is not `chunked`                                         | refused, 501                              |
 * | CONNECT                                                                | refused, 405                              |
 * | an expectation that is not `100-continue`                              | refused, 417                              |
 * | more than `MAX_FIELDS` fields                                          | refused, 431                              |
 *
 * Any method that is a token is passed on, any octet above 0x7f in a target as well.
 */
import { MAX_FIELDS } from '../../headers/headers.js';
import { passableProtocol } from '../../headers/upgrade-field.js';
import { parseFields } from '../../http1/field-lines.js';
import { MalformedMessage } from '../../http1/malformed.js';

/** Why a request that could be read is not served. */
export type HeadProblem = 405 | 417 | 431 | 501 | 505;

export interface RequestHead {
  readonly method: string;
  /** As it came; one character for each octet. */
  readonly target: string;
  /** `1.0` or `1.1`; anything else has the problem 505. */
  readonly version: string;
  /** Flat, as they came, but for several `Cookie` fields: they are one, at the place of the first. */
  readonly fields: string[];
  /** The value of the one `Host` field; undefined where there is none, or there are several. */
  readonly host: string | undefined;
  /** Of `Accept`: for the pages that we answer with. */
  readonly accept: string | undefined;
  /** Octets. */
  readonly contentLength: number | undefined;
  readonly isChunked: boolean;
  /** A body follows, possibly an empty one. */
  readonly hasBody: boolean;
  /** The connection can serve another request after this one. */
  readonly isKept: boolean;
  /** The client waits for `100 Continue` before it sends the body. */
  readonly awaitsContinue: boolean;
  /** The protocols that the client would change to, if the request may; see `passableProtocol`. */
  readonly upgrade: string | undefined;
  readonly problem: HeadProblem | undefined;
}

const REQUEST_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([\x21-\x7e\x80-\xff]+) HTTP\/(\d\.\d)$/;
/** 15 digits are exact in a number, and a thousand terabytes. */
const LENGTH = /^\d{1,15}$/;

interface RequestLine {
  readonly method: string;
  readonly target: string;
  readonly version: string;
}

/**
 * Parses the first line of a head, without its CRLF.
 *
 * @throws MalformedMessage
 */
export function parseRequestLine(line: string): RequestLine {
  const parts = REQUEST_LINE.exec(line);
  if (parts === null) throw new MalformedMessage('invalid request line');
  return { method: parts[1] ?? '', target: parts[2] ?? '', version: parts[3] ?? '' };
}

/**
 * Parses a head.
 *
 * @param text one character for each octet (latin1), up to the CRLF of the last field; the empty line is left out.
 * @throws MalformedMessage
 */
export function parseRequestHead(text: string): RequestHead {
  const lineEnd = text.indexOf('\r\n');
  const { method, target, version } = parseRequestLine(text.slice(0, lineEnd));
  return new FieldReader(method, target, version, parseFields(text, lineEnd + 2));
}

/** Reads what the fields say. One object a request, and no other is made of it. */
class FieldReader implements RequestHead {
  host: string | undefined;
  accept: string | undefined;
  contentLength: number | undefined;
  isChunked = false;
  isKept: boolean;
  awaitsContinue = false;
  upgrade: string | undefined;
  problem: HeadProblem | undefined;
  #hasHost = false;
  #isClosed = false;
  #hasCoding = false;
  #asksForUpgrade = false;
  #cookieAt = -1;
  #hasCookies = false;

  constructor(
    readonly method: string,
    readonly target: string,
    readonly version: string,
    public fields: string[],
  ) {
    this.isKept = version === '1.1';
    if (version !== '1.1' && version !== '1.0') this.problem = 505;
    else if (fields.length > 2 * MAX_FIELDS) this.problem = 431;
    else if (method === 'CONNECT') this.problem = 405;
    for (let i = 0; i + 1 < fields.length; i += 2) this.#read(fields[i] ?? '', fields[i + 1] ?? '', i);
    if (this.#hasCoding && this.contentLength !== undefined)
      throw new MalformedMessage('Content-Length beside Transfer-Encoding');
    if (this.#hasCookies) this.fields = withOneCookie(this.fields, this.#cookieAt);
    if (!this.#asksForUpgrade || version !== '1.1') this.upgrade = undefined;
    if (!this.hasBody) this.awaitsContinue = false;
  }

  /** A body follows, possibly an empty one. */
  get hasBody(): boolean {
    return this.isChunked || (this.contentLength ?? 0) > 0;
  }

  #read(name: string, value: string, at: number): void {
    // Skip most fields by the length of their name.
    switch (name.length) {
      case 4:
        if (name.toLowerCase() === 'host') {
          this.host = this.#hasHost ? undefined : value;
          this.#hasHost = true;
        }
        break;
      case 6:
        this.#readShort(name.toLowerCase(), value, at);
        break;
      case 7:
        if (name.toLowerCase() === 'upgrade') this.#readUpgrade(value);
        break;
      case 10:
        if (name.toLowerCase() === 'connection') this.#readConnection(value);
        break;
      case 14:
        if (name.toLowerCase() === 'content-length') this.#readLength(value);
        break;
      case 17:
        if (name.toLowerCase() === 'transfer-encoding') this.#readCoding(value);
    }
  }

  #readShort(name: string, value: string, at: number): void {
    if (name === 'accept') this.accept = this.accept === undefined ? value : `${this.accept}, ${value}`;
    else if (name === 'cookie') {
      if (this.#cookieAt === -1) this.#cookieAt = at;
      else this.#hasCookies = true;
    } else if (name === 'expect' && this.version === '1.1') {
      // RFC 9110 §10.1.1: there is one expectation, and HTTP/1.0 knows none.
      if (value.toLowerCase() === '100-continue') this.awaitsContinue = true;
      else this.problem ??= 417;
    }
  }

  #readUpgrade(value: string): void {
    const protocols = passableProtocol(value);
    if (protocols === undefined) return;
    this.upgrade = this.upgrade === undefined ? protocols : `${this.upgrade}, ${protocols}`;
  }

  #readConnection(value: string): void {
    // Nearly always one of these. `close` counts whatever else is said (RFC 9112 §9.3).
    if (value === 'keep-alive') this.isKept = true;
    else if (value === 'close') this.#isClosed = true;
    else {
      const options = value
        .toLowerCase()
        .split(',')
        .map((option) => option.trim());
      if (options.includes('keep-alive')) this.isKept = true;
      if (options.includes('close')) this.#isClosed = true;
      if (options.includes('upgrade')) this.#asksForUpgrade = true;
    }
    if (this.#isClosed) this.isKept = false;
  }

  #readLength(value: string): void {
    if (this.contentLength !== undefined) throw new MalformedMessage('Content-Length is given twice');
    if (!LENGTH.test(value)) throw new MalformedMessage('Content-Length is not a number');
    this.contentLength = Number(value);
  }

  #readCoding(value: string): void {
    if (this.#hasCoding) throw new MalformedMessage('Transfer-Encoding is given twice');
    if (this.version === '1.0') throw new MalformedMessage('Transfer-Encoding in HTTP/1.0');
    this.#hasCoding = true;
    if (value.toLowerCase() === 'chunked') this.isChunked = true;
    else this.problem ??= 501;
  }
}

/** Joins `Cookie` fields (RFC 9113 §8.2.3): many backends look at the first one only. */
function withOneCookie(fields: readonly string[], first: number): string[] {
  const joined: string[] = [];
  const values: string[] = [];
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const name = fields[i] ?? '';
    const value = fields[i + 1] ?? '';
    const isCookie = name.length === 6 && name.toLowerCase() === 'cookie';
    if (isCookie) values.push(value);
    if (!isCookie || i === first) joined.push(name, value);
  }
  joined[first + 1] = values.join('; ');
  return joined;
}
