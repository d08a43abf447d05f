/**
 * Header fields on their way through the proxy. PURE.
 *
 * Fields are flat lists (`[name, value, name, value, …]`), as Node's `rawHeaders` and undici have them: the spelling and the
 * order of what passes through stay as they were.
 */

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
]);

/** What this proxy says itself, and the standard field (RFC 7239) for the same: whatever a client claims is dropped. */
const FORWARDED = new Set(['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'forwarded']);

/** Gateways that make variables of fields read `X_Forwarded_For` as the real one. */
const isForwarded = (name: string): boolean => FORWARDED.has(name.replaceAll('_', '-'));

/** What is told to the backend of the client's connection. */
export interface Forwarding {
  /** The client's address, IPv4-mapped ones as IPv4. */
  readonly clientAddress: string;
  /** Whom the request is for: the `Host`, unless the target was in absolute form. */
  readonly host: string | undefined;
}

/**
 * The fields of a request to the backend: without those of the client's hop (also those that its `Connection` names), with
 * `X-Forwarded-For`, `-Proto` and `-Host` in place of what the client claimed. `Host` is kept as it came, also when
 * `Connection` names it.
 */
export function requestHeaders(raw: readonly string[], forwarding: Forwarding): string[] {
  const dropped = hopByHop(raw);
  const headers: string[] = forwarding.host === undefined ? [] : ['Host', forwarding.host];
  headers.push(
    ...filterFields(
      raw,
      (name) => !dropped.has(name) && !isForwarded(name) && name !== 'host' && name !== 'expect',
    ),
  );
  headers.push('X-Forwarded-For', forwarding.clientAddress, 'X-Forwarded-Proto', 'https');
  if (forwarding.host !== undefined) headers.push('X-Forwarded-Host', forwarding.host);
  return headers;
}

/** The fields of a response to the client: without those of the backend's hop. */
export function responseHeaders(raw: readonly string[]): string[] {
  const dropped = hopByHop(raw);
  return filterFields(raw, (name) => !dropped.has(name));
}

/** The hop-by-hop fields of a message: the fixed ones, and those that its own `Connection` field names. */
function hopByHop(raw: readonly string[]): ReadonlySet<string> {
  let named: Set<string> | undefined;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    if (raw[i]?.toLowerCase() !== 'connection') continue;
    for (const token of (raw[i + 1] ?? '').split(',')) {
      named ??= new Set(HOP_BY_HOP);
      named.add(token.trim().toLowerCase());
    }
  }
  return named ?? HOP_BY_HOP;
}

/** The host of a `Host` field, without its port; an IPv6 literal without its brackets. */
export function hostWithoutPort(host: string): string {
  if (host.startsWith('[')) return host.slice(1, Math.max(1, host.indexOf(']')));
  const colon = host.indexOf(':');
  return colon === -1 ? host : host.slice(0, colon);
}
