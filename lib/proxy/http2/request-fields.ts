/**
 * From the fields of a block to a request, or to why it is none (RFC 9113 §8.1.1, §8.2, §8.3; RFC 8441 §4). PURE.
 *
 * A request that is malformed is passed to nobody, and its stream reset: another program might read another request in it. Blanks around a
 * value are taken off, as everybody takes them.
 */

export interface RequestFields {
  readonly method: string;
  /** Empty on a CONNECT that is not extended, like `path`. */
  readonly scheme: string;
  readonly path: string;
  readonly authority: string | undefined;
  /** Of an extended CONNECT. */
  readonly protocol: string | undefined;
  /** All others, flat, names in lower case, in their order. */
  readonly fields: readonly string[];
  /** Octets of the body, as `content-length` says; undefined: it does not say. */
  readonly length: number | undefined;
}

/** Why a block is no request: one clause, which quotes nothing of the client's. */
export class MalformedFields {
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

/** HTTP/1.1's fields of a connection: on HTTP/2 they have no meaning, and for a backend they might (§8.2.2). */
const OF_CONNECTION = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);
/** A token in lower case (RFC 9110 §5.1). */
const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
const METHOD = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** RFC 3986 §3.1. */
const SCHEME = /^[A-Za-z][A-Za-z0-9+\-.]*$/;
/** Octets of a value: no control but the tab (RFC 9110 §5.5); §8.2.1 names three of them, and the others serve nobody. */
const NOT_OF_VALUE = /[\0-\x08\x0a-\x1f\x7f]/;
/** Of a path as of an authority: no blank, no control. */
const NOT_OF_TARGET = /[\0-\x20\x7f]/;
const LENGTH = /^\d{1,15}$/;

/** @param block flat names and values, as HPACK has them. */
export function readRequestFields(block: readonly string[]): RequestFields | MalformedFields {
  const pseudo: Partial<Record<string, string>> = {};
  const fields: string[] = [];
  let length: number | undefined;
  for (let i = 0; i + 1 < block.length; i += 2) {
    const name = block[i] ?? '';
    const value = block[i + 1] ?? '';
    if (name.charCodeAt(0) === COLON) {
      const trouble = takePseudo(name, value, pseudo, fields.length > 0);
      if (trouble !== undefined) return new MalformedFields(trouble);
      continue;
    }
    const trouble = troubleOfField(name, value);
    if (trouble !== undefined) return new MalformedFields(trouble);
    const plain = trimmed(value);
    if (name === 'content-length') {
      if (length !== undefined || !LENGTH.test(plain)) return new MalformedFields('its length is none');
      length = Number(plain);
    }
    fields.push(name, plain);
  }
  return whole(pseudo, fields, length);
}

/** Trailers, or why they are none. @param block flat names and values. */
export function readTrailers(block: readonly string[]): readonly string[] | MalformedFields {
  const fields: string[] = [];
  for (let i = 0; i + 1 < block.length; i += 2) {
    const name = block[i] ?? '';
    const value = block[i + 1] ?? '';
    const trouble =
      name.charCodeAt(0) === COLON ? 'its trailers have a pseudo field' : troubleOfField(name, value);
    if (trouble !== undefined) return new MalformedFields(trouble);
    fields.push(name, trimmed(value));
  }
  return fields;
}

const COLON = 0x3a;
const PSEUDO = new Set([':method', ':scheme', ':path', ':authority', ':protocol']);

function takePseudo(
  name: string,
  value: string,
  pseudo: Partial<Record<string, string>>,
  isLate: boolean,
): string | undefined {
  if (!PSEUDO.has(name)) return 'it has a pseudo field that no request has';
  if (isLate) return 'a pseudo field comes behind others';
  if (pseudo[name] !== undefined) return 'it has a pseudo field twice';
  if (NOT_OF_TARGET.test(value)) return 'a pseudo field has a blank or a control character';
  pseudo[name] = value;
  return undefined;
}

function troubleOfField(name: string, value: string): string | undefined {
  if (!NAME.test(name)) return 'a name is no token in lower case';
  if (NOT_OF_VALUE.test(value)) return 'a value has a control character';
  if (OF_CONNECTION.has(name)) return `it has ${name}, which is for HTTP/1.1`;
  if (name === 'te' && trimmed(value).toLowerCase() !== 'trailers') return 'its TE is for more than trailers';
  return undefined;
}

function whole(
  {
    ':method': method,
    ':scheme': scheme,
    ':path': path,
    ':authority': authority,
    ':protocol': protocol,
  }: Partial<Record<string, string>>,
  fields: readonly string[],
  length: number | undefined,
): RequestFields | MalformedFields {
  if (method === undefined || !METHOD.test(method)) return new MalformedFields('it has no method');
  if (protocol !== undefined && method !== 'CONNECT')
    return new MalformedFields('it has a protocol without being a CONNECT');
  if (method === 'CONNECT' && protocol === undefined) {
    if (scheme !== undefined || path !== undefined || authority === undefined)
      return new MalformedFields('a CONNECT has an authority, and no scheme and no path');
    return { method, scheme: '', path: '', authority, protocol, fields, length };
  }
  if (scheme === undefined || !SCHEME.test(scheme)) return new MalformedFields('it has no scheme');
  if (path === undefined || !isPath(path, method)) return new MalformedFields('its path is none');
  return { method, scheme, path, authority, protocol, fields, length };
}

function isPath(path: string, method: string): boolean {
  return path.charCodeAt(0) === SLASH || (path === '*' && method === 'OPTIONS');
}

const SLASH = 0x2f;

/** Without blanks and tabs at both ends. (A regular expression takes time that grows with the square of the blanks within.) */
function trimmed(value: string): string {
  let start = 0;
  let end = value.length;
  while (start < end && isBlank(value.charCodeAt(start))) start += 1;
  while (end > start && isBlank(value.charCodeAt(end - 1))) end -= 1;
  return value.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
