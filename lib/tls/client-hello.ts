/**
 * Reads the start of a TLS connection: the record layer, the ClientHello, its server name and its ALPN list.
 *
 * PURE. The caller gathers the bytes of the connection and asks again as they arrive; nothing is consumed, nothing
 * is kept between two calls. A call walks the record headers only, so it is cheap until the ClientHello is
 * complete; only then is the message read. Bad input is an answer (`invalid`), never an exception, and no byte
 * outside `bytes` is looked at.
 *
 * RFC 8446 §4.1.2 and §5.1, RFC 6066 §3 (server name), RFC 7301 §3.1 (ALPN).
 */

export const RECORD_HEADER_BYTES = 5;
export const HANDSHAKE_HEADER_BYTES = 4;

/**
 * The longest ClientHello that is read, its handshake header included: OpenSSL's limit, which is what fits into the message's own
 * lengths (CLIENT_HELLO_MAX_LENGTH in its statem_local.h).
 */
export const MAX_CLIENT_HELLO_BYTES = HANDSHAKE_HEADER_BYTES + 131_396;

/** The most TLS records that one ClientHello may come in. */
export const MAX_CLIENT_HELLO_RECORDS = 2048;

/** The most bytes that ever have to be gathered: with so many the answer is no longer `incomplete`. */
export const MAX_BUFFERED_BYTES = MAX_CLIENT_HELLO_BYTES + MAX_CLIENT_HELLO_RECORDS * RECORD_HEADER_BYTES;

/** What the bytes at the start of a connection are. */
export type ClientHelloResult =
  /**
   * Too early to tell. The answer does not change before there are `needBytes` bytes in all: asking earlier is
   * allowed.
   */
  | { readonly kind: 'incomplete'; readonly needBytes: number }
  | ClientHello
  /** An HTTP request without TLS, or the beginning of one. */
  | { readonly kind: 'plain-http' }
  | InvalidHello;

export interface InvalidHello {
  /** Neither TLS nor HTTP, or a malformed ClientHello. */
  readonly kind: 'invalid';
  /** One clause for a log line; it quotes none of the client's bytes. */
  readonly reason: string;
  /** What a client of TLS is told. Undefined: the client does not speak TLS. */
  readonly alert?: AlertDescription;
}

/** The descriptions of a fatal alert (RFC 8446 §6) that a malformed ClientHello may get: those of OpenSSL, and so of nginx. */
export const ALERTS = {
  unexpectedMessage: 10,
  recordOverflow: 22,
  illegalParameter: 47,
  decodeError: 50,
  protocolVersion: 70,
} as const;
export type AlertDescription = (typeof ALERTS)[keyof typeof ALERTS];

export interface ClientHello {
  readonly kind: 'hello';
  /**
   * The first host_name, one character for each octet (latin1), as it was received: not normalised, perhaps not a
   * name.
   */
  readonly serverName?: string;
  /** The protocols offered, best first, one character for each octet (latin1). Empty without the extension. */
  readonly alpn: readonly string[];
}

const CONTENT_HANDSHAKE = 0x16;
const VERSION_MAJOR = 0x03;
const MAX_FRAGMENT_BYTES = 16 * 1024;
const HANDSHAKE_CLIENT_HELLO = 0x01;
const EXTENSION_SERVER_NAME = 0;
export const EXTENSION_GROUPS = 10;
export const EXTENSION_SIGNATURES = 13;
const EXTENSION_ALPN = 16;
export const EXTENSION_VERSIONS = 43;
const NAME_TYPE_HOST = 0;
export const VERSION_AND_RANDOM_BYTES = 2 + 32;

const HTTP_METHODS = [
  ...['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH', 'PRI'],
  ...['PROPFIND', 'PROPPATCH', 'MKCOL', 'COPY', 'MOVE', 'LOCK', 'UNLOCK', 'REPORT', 'SEARCH', 'QUERY'],
].map((method) => `${method} `);

const foreign = (reason: string): ClientHelloResult => ({ kind: 'invalid', reason });
const invalid = (reason: string, alert: AlertDescription): ClientHelloResult => ({
  kind: 'invalid',
  reason,
  alert,
});
const malformed = (reason: string): ClientHelloResult => invalid(reason, ALERTS.decodeError);
const TOO_EARLY = malformed('a ClientHello that ends too early');
const TOO_LONG = invalid('a ClientHello longer than 131,396 bytes', ALERTS.illegalParameter);
const TOO_MANY_RECORDS = invalid(
  `a ClientHello in more than ${MAX_CLIENT_HELLO_RECORDS} records`,
  ALERTS.unexpectedMessage,
);
const TWICE = invalid('an extension that occurs twice', ALERTS.illegalParameter);

/**
 * Says what the bytes at the start of a connection are.
 *
 * @param bytes everything received so far, from the first byte of the connection. Bytes after the ClientHello do
 * not matter.
 */
export function parseClientHello(bytes: Buffer): ClientHelloResult {
  if (bytes.length > 0 && bytes[0] !== CONTENT_HANDSHAKE) return describeForeign(bytes);
  let offset = 0;
  let gathered = 0; // handshake bytes in the records before `offset`
  let header = 0; // the handshake header, as far as it has been seen
  for (let records = 1; records <= MAX_CLIENT_HELLO_RECORDS; records++) {
    const start = offset + RECORD_HEADER_BYTES;
    if (bytes.length > offset && bytes[offset] !== CONTENT_HANDSHAKE) {
      return invalid('another record in the middle of the ClientHello', ALERTS.unexpectedMessage);
    }
    // RFC 8446 §5.1: the minor version of the record says nothing. OpenSSL judges the versions offered.
    if (bytes.length > offset + 1 && bytes[offset + 1] !== VERSION_MAJOR) {
      const reason = 'a record whose version is not that of TLS';
      // The first one is all that is known of the client.
      return offset === 0 ? foreign(reason) : invalid(reason, ALERTS.protocolVersion);
    }
    if (bytes.length < start) return { kind: 'incomplete', needBytes: start };
    const length = bytes.readUInt16BE(offset + 3);
    if (length > MAX_FRAGMENT_BYTES) return invalid('a record longer than 16 KiB', ALERTS.recordOverflow);
    const available = Math.min(length, bytes.length - start);
    const headerBytes = Math.min(HANDSHAKE_HEADER_BYTES, gathered + available);
    for (let i = gathered; i < headerBytes; i++) header = header * 256 + (bytes[start + i - gathered] ?? 0);
    const type = headerBytes === 0 ? HANDSHAKE_CLIENT_HELLO : header >>> (8 * (headerBytes - 1));
    if (type !== HANDSHAKE_CLIENT_HELLO) {
      return invalid('a handshake message that is not a ClientHello', ALERTS.unexpectedMessage);
    }
    let wanted = HANDSHAKE_HEADER_BYTES;
    if (headerBytes === HANDSHAKE_HEADER_BYTES) {
      wanted += header & 0xffffff;
      if (wanted > MAX_CLIENT_HELLO_BYTES) return TOO_LONG;
      if (gathered + available >= wanted) {
        return gathered === 0
          ? readClientHello(bytes, start, start + wanted)
          : readClientHello(joinRecords(bytes, wanted), 0, wanted);
      }
    }
    if (available < length) {
      return { kind: 'incomplete', needBytes: start + Math.min(length, wanted - gathered) };
    }
    gathered += length;
    offset = start + length;
  }
  return TOO_MANY_RECORDS;
}

/** Says what a connection is that does not begin with a handshake record. */
function describeForeign(bytes: Buffer): ClientHelloResult {
  const isSsl2 = ((bytes[0] ?? 0) & 0x80) !== 0 && bytes[2] === HANDSHAKE_CLIENT_HELLO;
  if (isSsl2) return invalid('an SSL 2 hello', ALERTS.protocolVersion);
  const start = bytes.toString('latin1', 0, 16);
  if (HTTP_METHODS.some((method) => method.startsWith(start) || start.startsWith(method))) {
    return { kind: 'plain-http' };
  }
  if (start.startsWith('PROXY ') || start.startsWith('\r\n\r\n\0\r\nQUIT\n')) {
    return foreign('a PROXY protocol header that was not expected');
  }
  return foreign('not TLS');
}

/**
 * The whole ClientHello, its handshake header included.
 *
 * @param bytes must be what `parseClientHello` has found a ClientHello in.
 */
export function handshakeMessage(bytes: Buffer): Buffer {
  // A header may come in records of its own.
  const header = joinRecords(bytes, HANDSHAKE_HEADER_BYTES);
  return joinRecords(bytes, HANDSHAKE_HEADER_BYTES + header.readUIntBE(1, 3));
}

/** The first `length` bytes of the handshake, out of records that are known to hold them. */
function joinRecords(bytes: Buffer, length: number): Buffer {
  const parts: Buffer[] = [];
  let offset = 0;
  for (let rest = length; rest > 0;) {
    const start = offset + RECORD_HEADER_BYTES;
    const size = bytes.readUInt16BE(offset + 3);
    const part = bytes.subarray(start, start + Math.min(size, rest));
    parts.push(part);
    rest -= part.length;
    offset = start + size;
  }
  return Buffer.concat(parts, length);
}

/*
 * The functions below read a stretch of `bytes`, from `at` to `end`, by its indexes: views of the bytes, or objects that walk
 * them, cost several times as much as the reading.
 */

/** In place of a position: the vector does not fit. */
export const NONE = -1;

/** Where a vector ends whose length, of one octet, is at `at`; NONE: after `end`. */
export function endOfVector8(bytes: Buffer, at: number, end: number): number {
  if (at + 1 > end) return NONE;
  const after = at + 1 + (bytes[at] ?? 0);
  return after > end ? NONE : after;
}

/** The same for a length of two octets. */
export function endOfVector16(bytes: Buffer, at: number, end: number): number {
  if (at + 2 > end) return NONE;
  const after = at + 2 + bytes.readUInt16BE(at);
  return after > end ? NONE : after;
}

function readClientHello(bytes: Buffer, start: number, end: number): ClientHelloResult {
  let at = start + HANDSHAKE_HEADER_BYTES + VERSION_AND_RANDOM_BYTES;
  if (at > end) return TOO_EARLY;
  // Skip the session id, the cipher suites and the compression methods.
  at = endOfVector8(bytes, at, end);
  if (at === NONE) return TOO_EARLY;
  at = endOfVector16(bytes, at, end);
  if (at === NONE) return TOO_EARLY;
  at = endOfVector8(bytes, at, end);
  if (at === NONE) return TOO_EARLY;
  // TLS 1.2 and older may end here.
  if (at === end) return { kind: 'hello', alpn: [] };
  const blockEnd = endOfVector16(bytes, at, end);
  if (blockEnd === NONE) return malformed('extensions that end too early');
  if (blockEnd !== end) return malformed('bytes after the extensions');
  return readExtensions(bytes, at + 2, end);
}

/**
 * Of the extensions only those are looked into that choose something here. One of these twice would let two readers of the
 * same bytes choose differently; the others are OpenSSL's to judge.
 */
function readExtensions(bytes: Buffer, start: number, end: number): ClientHelloResult {
  let serverName: string | undefined;
  let hasServerName = false;
  let alpn: string[] | undefined;
  for (let at = start; at < end;) {
    const dataEnd = endOfVector16(bytes, at + 2, end);
    if (dataEnd === NONE) return malformed('an extension that ends too early');
    const type = bytes.readUInt16BE(at);
    const data = at + 4;
    if (type === EXTENSION_SERVER_NAME) {
      if (hasServerName) return TWICE;
      hasServerName = true;
      const name = readHostName(bytes, data, dataEnd);
      if (name === null) return malformed('a malformed server_name extension');
      serverName = name;
    } else if (type === EXTENSION_ALPN) {
      if (alpn !== undefined) return TWICE;
      alpn = readProtocols(bytes, data, dataEnd);
      if (alpn === undefined) return malformed('a malformed ALPN extension');
    }
    at = dataEnd;
  }
  alpn ??= [];
  return serverName === undefined ? { kind: 'hello', alpn } : { kind: 'hello', serverName, alpn };
}

/** The first host_name of a server_name extension; undefined without one; null where the extension is malformed. */
function readHostName(bytes: Buffer, start: number, end: number): string | undefined | null {
  let at = start + 2;
  if (endOfVector16(bytes, start, end) !== end || at === end) return null;
  let name: string | undefined;
  while (at < end) {
    const nameEnd = endOfVector16(bytes, at + 1, end);
    if (nameEnd === NONE) return null;
    if (name === undefined && bytes[at] === NAME_TYPE_HOST) name = bytes.toString('latin1', at + 3, nameEnd);
    at = nameEnd;
  }
  return name;
}

function readProtocols(bytes: Buffer, start: number, end: number): string[] | undefined {
  let at = start + 2;
  if (endOfVector16(bytes, start, end) !== end || at === end) return undefined;
  const protocols: string[] = [];
  while (at < end) {
    const protocolEnd = endOfVector8(bytes, at, end);
    if (protocolEnd === NONE || protocolEnd === at + 1) return undefined;
    protocols.push(bytes.toString('latin1', at + 1, protocolEnd));
    at = protocolEnd;
  }
  return protocols;
}
