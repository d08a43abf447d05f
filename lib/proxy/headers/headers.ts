/**
 * Header fields on their way through the proxy. PURE.
 *
 * Fields are flat lists (`[name, value, name, value, …]`), as Node's `rawHeaders` has them: the spelling and the
 * order of what passes through stay as they were.
 */
import { isIP } from 'node:net';
import { Remembered } from '../../base/remembered.js';
import { readHost } from '../../domain/host.js';
import { plainAddress, type Endpoint } from '../../net/connection-info.js';
import { eachField, joinedValues } from './fields.js';
import { asVariable, isClaim, isSaidHere, NEVER_PASSES } from './claimed-fields.js';

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
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]);

const NO_TRAILERS = new Set([
  'trailer',
  'content-length',
  'content-type',
  'content-encoding',
  'content-range',
  'host',
]);

const NOTHING: readonly string[] = [];

/** Fields of a request that are not passed on as fields: each hop sends its own `Host` and `Expect`, and we the id of the request. */
const TOLD_OTHERWISE = new Set(['host', 'expect', 'x-request-id']);

/** Which fields pass, by their names. */
class NameFilter {
  /** By spelling: `toLowerCase` creates an object. */
  readonly #passes: Remembered<boolean>;

  constructor(passes: (lowerCaseName: string) => boolean) {
    this.#passes = new Remembered((name) => passes(name.toLowerCase()));
  }

  /** The fields that pass, and that the message's `Connection` does not name. */
  apply(raw: readonly string[]): string[] {
    const named = namedByConnection(raw);
    const kept: string[] = [];
    for (let i = 0; i + 1 < raw.length; i += 2) {
      const name = raw[i] ?? '';
      if (!this.#passes.of(name) || named?.has(name.toLowerCase()) === true) continue;
      kept.push(name, raw[i + 1] ?? '');
    }
    return kept;
  }
}

const TO_BACKENDS = new NameFilter((name) => mayReachBackends(name) && !isClaim(asVariable(name)));
/** The claims of a trusted proxy pass, except for the fields that this proxy sets itself. */
const TO_BACKENDS_TRUSTED = new NameFilter((name) => mayReachBackends(name) && !isSaidHere(asVariable(name)));
const mayReachClients = (name: string): boolean => !HOP_BY_HOP.has(name) && name !== 'x-request-id';
const TO_CLIENTS = new NameFilter(mayReachClients);
const TO_CLIENTS_WITHOUT_LENGTH = new NameFilter(
  (name) => mayReachClients(name) && name !== 'content-length',
);
const OF_TRAILERS = new NameFilter((name) => mayReachClients(name) && !NO_TRAILERS.has(name));

/** Whether a field may pass, whoever sends it. Names that only gateways take for a hop's field or a length do not: `Transfer_Encoding`. */
function mayReachBackends(name: string): boolean {
  const variable = asVariable(name);
  if (variable === NEVER_PASSES || HOP_BY_HOP.has(variable) || TOLD_OTHERWISE.has(variable)) return false;
  return variable !== 'content-length' || name === variable;
}

/** What the backend is told about the client's connection. */
export interface Forwarding {
  readonly client: Endpoint;
  /** The port that the client connected to; 0 on a unix socket. */
  readonly localPort: number;
  readonly scheme: 'https' | 'http';
  /** Whom the request is for: the `Host`, unless the target was in absolute form. */
  readonly host: string | undefined;
  /** Given where the peer is a proxy whose own word on its client is believed and passed on: all such proxies. */
  readonly trusted?: { has(address: string): boolean } | undefined;
  /** `1.1` or `2.0`; given where `Via` is to be added. */
  readonly via?: string | undefined;
  /** Given where it is to be told. */
  readonly tls?: { readonly name: string; readonly protocol: string; readonly cipher: string } | undefined;
}

/**
 * The fields of a request to the backend, but for `Host`: without those of the client's hop (also those that its `Connection`
 * names), with `X-Forwarded-For`, `-Proto`, `-Host`, `-Port`, `X-Real-IP` and `Forwarded` (RFC 7239) in place of what the client
 * claimed (`claimed-fields.ts`).
 */
export function requestHeaders(raw: readonly string[], forwarding: Forwarding): string[] {
  const passed = passableFields(raw, forwarding.trusted !== undefined);
  return [...passed, ...forwardedFields(raw, forwarding)];
}

/**
 * The fields of a request that are passed on to the backend as they came.
 *
 * @param isTrusted the peer is a proxy whose word is believed.
 */
export function passableFields(raw: readonly string[], isTrusted: boolean): string[] {
  return (isTrusted ? TO_BACKENDS_TRUSTED : TO_BACKENDS).apply(raw);
}

/** What is added to a request. But for a trusted peer's it is the same for all requests of a connection to one host. */
export function forwardedFields(raw: readonly string[], forwarding: Forwarding): string[] {
  const { client, scheme, host, localPort, via, tls, trusted } = forwarding;
  const headers: string[] = [];
  const earlier = (name: string): string | undefined =>
    trusted === undefined ? undefined : joinedValues(raw, name);
  append(headers, 'X-Forwarded-For', list(earlier('x-forwarded-for'), client.address));
  append(headers, 'X-Real-IP', trusted === undefined ? client.address : clientBefore(raw, client, trusted));
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

/**
 * The client that trusted proxies speak for: the last address of `X-Forwarded-For` that is none of theirs, as nginx's
 * `real_ip_recursive` and Apache's mod_remoteip find it. Where there is no such field it is `X-Real-IP`, or the peer itself.
 */
function clientBefore(
  raw: readonly string[],
  peer: Endpoint,
  trusted: { has(address: string): boolean },
): string {
  const way = joinedValues(raw, 'x-forwarded-for');
  if (way === undefined) return addressOf(joinedValues(raw, 'x-real-ip') ?? '') ?? peer.address;
  let client = peer.address;
  for (const entry of way.split(',').reverse()) {
    const address = addressOf(entry.trim());
    // An entry without an address ends the chain: what stands before it cannot be trusted.
    if (address === undefined) break;
    client = address;
    if (!trusted.has(address)) break;
  }
  return client;
}

/** The address of an entry: some proxies add a port, or write IPv6 in brackets. */
function addressOf(text: string): string | undefined {
  return isIP(text) === 0 ? readHost(text)?.address : plainAddress(text);
}

/**
 * The fields of a response to the client: without those of the backend's hop, and without the id of the request, which we say.
 * `Upgrade` stays with a 426, which says by it what the client must change to (RFC 9110 §15.5.22). A 1xx or 204 has no
 * `Content-Length` (§8.6): there are clients that take one for malformed.
 */
export function responseHeaders(raw: readonly string[], status: number): string[] {
  const hasLength = status >= 200 && status !== 204;
  const fields = (hasLength ? TO_CLIENTS : TO_CLIENTS_WITHOUT_LENGTH).apply(raw);
  if (status === 426) append(fields, 'Upgrade', joinedValues(raw, 'upgrade'));
  return fields;
}

/** The trailers of a message: without fields of the hop, and without those that would say how it is to be read (RFC 9110 §6.5.1). */
export function trailerFields(raw: readonly string[]): readonly string[] {
  return raw.length === 0 ? NOTHING : OF_TRAILERS.apply(raw);
}

/**
 * The trailers of a request to the backend. There are gateways that put them among the other fields: nothing passes that may
 * not pass there, or a client could forge what this proxy says. Trusted proxies send no claims in trailers.
 */
export function requestTrailers(raw: readonly string[]): readonly string[] {
  return raw.length === 0 ? NOTHING : TO_BACKENDS.apply(trailerFields(raw));
}

/** The fields with one set to a value, in place of any earlier ones of its name. */
export function withField(fields: readonly string[], name: string, value: string): string[] {
  const lowerCaseName = name.toLowerCase();
  const kept: string[] = [];
  eachField(fields, (other, otherValue) => {
    if (other.toLowerCase() !== lowerCaseName) kept.push(other, otherValue);
  });
  return [...kept, name, value];
}

/** Fields of HTTP/2 with cookie crumbs as one field again (RFC 9113 §8.2.3), behind the others. @param fields no pseudo fields */
export function withOneCookie(fields: readonly string[]): readonly string[] {
  return fields.includes('cookie') ? withoutPseudoFields(fields) : fields;
}

/**
 * Fields of HTTP/2 with cookie crumbs as one field again (RFC 9113 §8.2.3), without its pseudo fields.
 */
export function withoutPseudoFields(raw: readonly string[]): string[] {
  const cookies: string[] = [];
  const fields: string[] = [];
  eachField(raw, (name, value) => {
    if (name === 'cookie') cookies.push(value);
    else if (!name.startsWith(':')) fields.push(name, value);
  });
  append(fields, 'cookie', cookies.length === 0 ? undefined : cookies.join('; '));
  return fields;
}

function append(headers: string[], name: string, value: string | undefined): void {
  if (value !== undefined && value !== '') headers.push(name, value);
}

function list(earlier: string | undefined, value: string): string {
  return earlier === undefined ? value : `${earlier}, ${value}`;
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
