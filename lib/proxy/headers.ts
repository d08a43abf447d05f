/**
 * Header fields on their way through the proxy. PURE.
 *
 * Fields are flat lists (`[name, value, name, value, …]`), as Node's `rawHeaders` has them: the spelling and the
 * order of what passes through stay as they were.
 */
import type { Endpoint } from '../tls/connection-info.js';

/**
 * So many fields may a request have. Node's server leaves out what is above 1,000, and what we add comes last: with more, a
 * client could keep the backend from seeing it.
 */
export const MAX_FIELDS = 512;

/** RFC 9110 §7.6.1: fields for one hop only. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]);

const NO_TRAILERS = new Set(['content-length', 'content-type', 'content-encoding', 'content-range', 'host']);

/** What this proxy says itself: whatever a client claims is dropped, unless it is a trusted proxy. */
const FORWARDED = new Set([
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-forwarded-port',
  'forwarded',
  'x-forwarded-tls-name',
  'x-forwarded-tls-protocol',
  'x-forwarded-tls-cipher',
]);

/** What a request loses here: `Host` and `Expect` are told otherwise. */
const NOT_TO_BACKENDS = new Set([...HOP_BY_HOP, ...FORWARDED, 'host', 'expect']);

/**
 * Remembers of each spelling of a name whether its field passes: the same few come with every message, and to make a name
 * lower case costs an object.
 */
class NameFilter {
  readonly #passes: (lowerCaseName: string) => boolean;
  readonly #known = new Map<string, boolean>();

  constructor(passes: (lowerCaseName: string) => boolean) {
    this.#passes = passes;
  }

  passes(name: string): boolean {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const passes = this.#passes(name.toLowerCase());
    // Strangers may think of others.
    if (this.#known.size >= MAX_KNOWN_NAMES) this.#known.clear();
    if (name.length <= MAX_KNOWN_LENGTH) this.#known.set(name, passes);
    return passes;
  }

  /** The fields that pass, and that the message's `Connection` does not name. */
  apply(raw: readonly string[]): string[] {
    const named = namedByConnection(raw);
    const kept: string[] = [];
    for (let i = 0; i + 1 < raw.length; i += 2) {
      const name = raw[i] ?? '';
      if (!this.passes(name) || named?.has(name.toLowerCase()) === true) continue;
      kept.push(name, raw[i + 1] ?? '');
    }
    return kept;
  }
}

const MAX_KNOWN_NAMES = 512;
const MAX_KNOWN_LENGTH = 64;

const TO_BACKENDS = new NameFilter((name) => !NOT_TO_BACKENDS.has(name) && !isDisguised(name));
const TO_CLIENTS = new NameFilter((name) => !HOP_BY_HOP.has(name));
const OF_TRAILERS = new NameFilter((name) => !HOP_BY_HOP.has(name) && !NO_TRAILERS.has(name));

/** Gateways that make variables of fields read `X_Forwarded_For` as the real one. */
const isDisguised = (lowerCaseName: string): boolean =>
  lowerCaseName.includes('_') && FORWARDED.has(lowerCaseName.replaceAll('_', '-'));

/** What is told to the backend of the client's connection. */
export interface Forwarding {
  readonly client: Endpoint;
  /** The port that the client connected to; 0 on a unix socket. */
  readonly localPort: number;
  readonly scheme: 'https' | 'http';
  /** Whom the request is for: the `Host`, unless the target was in absolute form. */
  readonly host: string | undefined;
  /** The peer is a proxy whose own word on its client is believed and passed on. */
  readonly isTrusted: boolean;
  /** `1.1` or `2.0`; given where `Via` is to be added. */
  readonly via?: string | undefined;
  /** Given where it is to be told. */
  readonly tls?: { readonly name: string; readonly protocol: string; readonly cipher: string } | undefined;
}

/**
 * The fields of a request to the backend, but for `Host`: without those of the client's hop (also those that its `Connection`
 * names), with `X-Forwarded-For`, `-Proto`, `-Host`, `-Port` and `Forwarded` (RFC 7239) in place of what the client claimed.
 */
export function requestHeaders(raw: readonly string[], forwarding: Forwarding): string[] {
  return passableFields(raw, forwardedFields(raw, forwarding));
}

/**
 * The fields of a request to the backend, as `requestHeaders` has them.
 *
 * @param added what `forwardedFields` has made.
 */
export function passableFields(raw: readonly string[], added: readonly string[]): string[] {
  const headers = TO_BACKENDS.apply(raw);
  for (const part of added) headers.push(part);
  return headers;
}

/** What is added to a request. But for a trusted peer's it is the same for all requests of a connection to one host. */
export function forwardedFields(raw: readonly string[], forwarding: Forwarding): string[] {
  const { client, scheme, host, localPort, via, tls, isTrusted } = forwarding;
  const headers: string[] = [];
  const earlier = (name: string): string | undefined => (isTrusted ? joined(raw, name) : undefined);
  append(headers, 'X-Forwarded-For', list(earlier('x-forwarded-for'), client.address));
  append(headers, 'X-Forwarded-Proto', earlier('x-forwarded-proto') ?? scheme);
  append(headers, 'X-Forwarded-Host', earlier('x-forwarded-host') ?? host);
  append(headers, 'X-Forwarded-Port', earlier('x-forwarded-port') ?? portText(localPort));
  append(headers, 'Forwarded', list(earlier('forwarded'), forwardedElement(forwarding)));
  if (tls !== undefined) {
    append(headers, 'X-Forwarded-Tls-Name', tls.name);
    append(headers, 'X-Forwarded-Tls-Protocol', tls.protocol);
    append(headers, 'X-Forwarded-Tls-Cipher', tls.cipher);
  }
  if (via !== undefined) headers.push('Via', `${via} peter-sslers-proxy`);
  return headers;
}

/** The fields of a response to the client: without those of the backend's hop. */
export function responseHeaders(raw: readonly string[]): string[] {
  return TO_CLIENTS.apply(raw);
}

/** The trailers of a message: without fields of the hop, and without those that would say how it is to be read (RFC 9110 §6.5.1). */
export function trailerFields(raw: readonly string[]): string[] {
  return raw.length === 0 ? [] : OF_TRAILERS.apply(raw);
}

/**
 * The trailers of a request to the backend. There are gateways that put them among the other fields: nothing passes that may
 * not pass there, or a client could speak for us.
 */
export function requestTrailers(raw: readonly string[]): string[] {
  return TO_BACKENDS.apply(trailerFields(raw));
}

/** The fields with one set to a value, whatever it was. */
export function withField(fields: readonly string[], name: string, value: string): string[] {
  const lowerCaseName = name.toLowerCase();
  const kept: string[] = [];
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const other = fields[i] ?? '';
    if (other.toLowerCase() !== lowerCaseName) kept.push(other, fields[i + 1] ?? '');
  }
  return [...kept, name, value];
}

/** The fields without HTTP/2's pseudo fields, with cookie crumbs as one field again (RFC 9113 §8.2.3). */
export function withoutPseudoFields(raw: readonly string[]): string[] {
  const cookies: string[] = [];
  const fields: string[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const [name = '', value = ''] = [raw[i], raw[i + 1]];
    if (name === 'cookie') cookies.push(value);
    else if (!name.startsWith(':')) fields.push(name, value);
  }
  append(fields, 'cookie', cookies.length === 0 ? undefined : cookies.join('; '));
  return fields;
}

function append(headers: string[], name: string, value: string | undefined): void {
  if (value !== undefined && value !== '') headers.push(name, value);
}

function list(earlier: string | undefined, value: string): string {
  return earlier === undefined ? value : `${earlier}, ${value}`;
}

/** All values of a field, as one. */
function joined(raw: readonly string[], lowerCaseName: string): string | undefined {
  const values = raw.filter((_, i) => i % 2 === 1 && raw[i - 1]?.toLowerCase() === lowerCaseName);
  return values.length === 0 ? undefined : values.join(', ');
}

/** RFC 7239 §4: values that are no tokens are quoted, IPv6 addresses bracketed. */
function forwardedElement({ client: { address }, host, scheme }: Forwarding): string {
  const peer = address.includes(':') ? `"[${address}]"` : address || 'unknown';
  if (host === undefined) return `for=${peer};proto=${scheme}`;
  return `for=${peer};host=${/^[\w.-]+$/.test(host) ? host : `"${host}"`};proto=${scheme}`;
}

/** @param port 0: there is none. */
function portText(port: number): string | undefined {
  return port === 0 ? undefined : String(port);
}

/**
 * The fields, besides the fixed ones, that a message's own `Connection` field keeps to its hop. Undefined: none, as mostly.
 */
function namedByConnection(raw: readonly string[]): ReadonlySet<string> | undefined {
  let named: Set<string> | undefined;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? '';
    if (name.length !== 'connection'.length || name.toLowerCase() !== 'connection') continue;
    const value = (raw[i + 1] ?? '').toLowerCase();
    if (value === 'close' || value === 'keep-alive') continue;
    named ??= new Set();
    for (const token of value.split(',')) named.add(token.trim());
  }
  return named;
}
