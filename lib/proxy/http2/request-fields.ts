/**
 * From the fields of a block to a request, or to why it is none (RFC 9113 §8.1.1, §8.2, §8.3; RFC 8441 §4). PURE.
 *
 * A request that is malformed is passed to nobody, and its stream reset: another program might read another request in it. Blanks around a
 * value are taken off, as everybody takes them.
 */

import { Remembered } from '../../base/remembered.js';

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
  /** All fields `host`. */
  readonly hosts: readonly string[];
  /** The first `accept`. */
  readonly accept: string | undefined;
  /** What the fields `expect` ask for. */
  readonly expects: 'nothing' | '100-continue' | 'something else';
  /** The fields `priority`, as one; undefined: there is none. */
  readonly priority: string | undefined;
  /** Of fields that came as literals never indexed. */
  readonly neverIndexedNames: readonly string[];
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
const COLON = 0x3a;
const SLASH = 0x2f;

/**
 * @param block flat names and values, as HPACK has them.
 * @param neverIndexedNames of fields that came as literals never indexed.
 */
export function readRequestFields(
  block: readonly string[],
  neverIndexedNames: readonly string[] = [],
): RequestFields | MalformedFields {
  const request = new BlockReader(neverIndexedNames);
  for (let i = 0; i + 1 < block.length; i += 2) {
    const name = block[i] ?? '';
    const value = block[i + 1] ?? '';
    const trouble =
      name.charCodeAt(0) === COLON ? request.takePseudo(name, value) : request.takeField(name, value);
    if (trouble !== undefined) return new MalformedFields(trouble);
  }
  const trouble = request.trouble();
  return trouble === undefined ? request : new MalformedFields(trouble);
}

/** Reads a block, each field once. One object a request, and no other is made of it. */
class BlockReader implements RequestFields {
  method = '';
  scheme = '';
  path = '';
  authority: string | undefined;
  protocol: string | undefined;
  readonly fields: string[] = [];
  length: number | undefined;
  readonly hosts: string[] = [];
  accept: string | undefined;
  expects: RequestFields['expects'] = 'nothing';
  priority: string | undefined;
  readonly neverIndexedNames: readonly string[];
  #hasMethod = false;
  #hasScheme = false;
  #hasPath = false;

  constructor(neverIndexedNames: readonly string[]) {
    this.neverIndexedNames = neverIndexedNames;
  }

  /** @returns what is wrong; undefined: nothing. */
  takePseudo(name: string, value: string): string | undefined {
    let isRepeated: boolean;
    switch (name) {
      case ':method':
        isRepeated = this.#hasMethod;
        this.#hasMethod = true;
        this.method = value;
        break;
      case ':scheme':
        isRepeated = this.#hasScheme;
        this.#hasScheme = true;
        this.scheme = value;
        break;
      case ':path':
        isRepeated = this.#hasPath;
        this.#hasPath = true;
        this.path = value;
        break;
      case ':authority':
        isRepeated = this.authority !== undefined;
        this.authority = value;
        break;
      case ':protocol':
        isRepeated = this.protocol !== undefined;
        this.protocol = value;
        break;
      default:
        return 'it has a pseudo field that no request has';
    }
    if (this.fields.length > 0) return 'a pseudo field comes behind others';
    if (isRepeated) return 'it has a pseudo field twice';
    if (NOT_OF_TARGET.test(value)) return 'a pseudo field has a blank or a control character';
    return undefined;
  }

  /** @returns what is wrong; undefined: nothing. */
  takeField(name: string, value: string): string | undefined {
    const trouble = troubleOfField(name, value);
    if (trouble !== undefined) return trouble;
    const plain = trimmed(value);
    this.fields.push(name, plain);
    switch (name) {
      case 'content-length':
        if (this.length !== undefined || !LENGTH.test(plain)) return 'its length is none';
        this.length = Number(plain);
        break;
      case 'host':
        this.hosts.push(plain);
        break;
      case 'accept':
        this.accept ??= plain;
        break;
      case 'expect':
        if (plain.toLowerCase() !== '100-continue') this.expects = 'something else';
        else if (this.expects === 'nothing') this.expects = '100-continue';
        break;
      case 'priority':
        this.priority = this.priority === undefined ? plain : `${this.priority},${plain}`;
    }
    return undefined;
  }

  /** What is wrong with all of it. */
  trouble(): string | undefined {
    const { method, path, authority, protocol } = this;
    if (!METHOD.test(method)) return 'it has no method';
    if (protocol !== undefined && method !== 'CONNECT') return 'it has a protocol without being a CONNECT';
    if (method === 'CONNECT' && protocol === undefined) {
      const isWhole = !this.#hasScheme && !this.#hasPath && authority !== undefined;
      return isWhole ? undefined : 'a CONNECT has an authority, and no scheme and no path';
    }
    if (!SCHEME.test(this.scheme)) return 'it has no scheme';
    if (path.charCodeAt(0) !== SLASH && (path !== '*' || method !== 'OPTIONS')) return 'its path is none';
    return undefined;
  }
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

/** By name; null: nothing. */
const TROUBLE_OF_NAME = new Remembered<string | null>((name) => {
  if (!NAME.test(name)) return 'a name is no token in lower case';
  return OF_CONNECTION.has(name) ? `it has ${name}, which is for HTTP/1.1` : null;
});

function troubleOfField(name: string, value: string): string | undefined {
  const ofName = TROUBLE_OF_NAME.of(name);
  if (ofName !== null) return ofName;
  if (NOT_OF_VALUE.test(value)) return 'a value has a control character';
  if (name === 'te' && trimmed(value).toLowerCase() !== 'trailers') return 'its TE is for more than trailers';
  return undefined;
}

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
