/**
 * Where requests go: from the values of `--backend` to routes. PURE.
 *
 * A value is a URL, which is the default route's, or `NAME=URL` or `*.suffix=URL`. The values of one name are the servers that its
 * requests are balanced between.
 */
import { normaliseDomain } from '../domain/server-name.js';
import { httpBackend } from './backend-origin.js';
import { httpUrl, Problem } from './parse.js';
import type { BackendSettings, RouteSettings } from './settings.js';

/** One value of `--backend`. */
export interface BackendValue {
  /** `www.example.com`, `*.example.com`; absent: the default route. */
  readonly pattern?: string;
  readonly backend: BackendSettings;
}

/** One value of `--backend`: a URL, alone or behind a name. */
export function parseBackend(text: string): BackendValue | Problem {
  // No URL has an equals sign before its scheme's colon.
  const [, name, url = ''] = /^([^:/?#=]*)=(.*)$/s.exec(text) ?? [];
  const backend = parseBackendUrl(name === undefined ? text : url.trim());
  if (backend instanceof Problem) return backend;
  if (name === undefined) return { backend };
  const pattern = normaliseDomain(name.trim());
  return pattern === undefined
    ? new Problem('must have a host name or *.suffix before the "="')
    : { pattern, backend };
}

const SCHEMES = 'http://, https://, h2://, h2c://, unix:/path, tcp://host:port or tcp+unix:/path';

/**
 * `http://host:port`, `https://host:port`, `h2://host:port` (HTTP/2 over TLS), `h2c://host:port` (HTTP/2 without TLS, with prior
 * knowledge), `unix:/path` (HTTP/1.1), `tcp://host:port` and `tcp+unix:/path` (decrypted bytes).
 */
export function parseBackendUrl(text: string): BackendSettings | Problem {
  const [, tcp, socketPath] = /^(tcp\+)?unix:(?:\/\/)?(\/[^/].*)$/i.exec(text) ?? [];
  if (socketPath !== undefined) {
    return tcp === undefined
      ? httpBackend(new URL('http://localhost'), { socketPath })
      : { kind: 'tcp', address: { socketPath } };
  }
  const [, scheme = '', rest = ''] = /^(https?|h2c?|tcp):(\/\/[^/].*)$/i.exec(text) ?? [];
  switch (scheme.toLowerCase()) {
    case 'http':
    case 'h2c':
      return backendAt(`http:${rest}`, scheme.length === 3);
    case 'https':
    case 'h2':
      return backendAt(`https:${rest}`, scheme.length === 2);
    case 'tcp':
      return tcpBackend(rest.slice(2));
    default:
      return new Problem(`must be ${SCHEMES}`);
  }
}

function backendAt(text: string, h2: boolean): BackendSettings | Problem {
  const url = httpUrl(text);
  if (url === undefined || url.port === '0') return new Problem(`must be ${SCHEMES}`);
  if (url.username !== '' || url.password !== '') return new Problem('must hold no user name and password');
  if (url.pathname !== '/' || /[?#]/.test(text)) return new Problem('must end after the host and port');
  return httpBackend(url, { h2 });
}

function tcpBackend(text: string): BackendSettings | Problem {
  // The URL class drops port 80: the port is taken out by hand.
  const [, name = '', digits = ''] = /^(\[[^\]/]*\]|[^:/?#@[\]]+):(\d{1,5})\/?$/.exec(text) ?? [];
  const port = Number(digits);
  const url = httpUrl(`http://${name}`);
  if (url === undefined || port === 0 || port > 65_535) {
    return new Problem('must be tcp://host:port, with nothing after the port');
  }
  return { kind: 'tcp', address: { host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port } };
}

/**
 * Gathers the values of each name, in the order in which the names were first given.
 *
 * @returns the routes, or what is wrong: `tcp` and HTTP servers in one route.
 */
export function routesOf(values: readonly BackendValue[]): RouteSettings[] | Problem {
  const byPattern = new Map<string | undefined, [BackendSettings, ...BackendSettings[]]>();
  for (const { pattern, backend } of values) {
    const known = byPattern.get(pattern);
    if (known === undefined) {
      byPattern.set(pattern, [backend]);
    } else if (known[0].kind !== backend.kind) {
      const route = pattern === undefined ? 'the default route' : `the route of ${pattern}`;
      return new Problem(`has tcp and HTTP backends in ${route}: all of one route must be of one kind`);
    } else {
      known.push(backend);
    }
  }
  return [...byPattern].map(([pattern, backends]) => ({
    ...(pattern !== undefined && { pattern }),
    backends,
  }));
}
