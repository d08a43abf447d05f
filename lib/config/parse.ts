/**
 * From the text of one value to what it means. PURE.
 *
 * Every parser returns the value, or a `Problem`: the rest of a sentence that begins with the flag's name. Problems never
 * quote the text: the caller does, where it holds no password.
 */
import { isIP } from 'node:net';
import { readOwnHost } from '../domain/host.js';
import { normaliseDomain } from '../domain/server-name.js';
import { httpBackend, type HttpBackend } from './backend-origin.js';
import type { FlagDefinition } from './flag.js';
import { Problem } from './problem.js';
import { DECIMAL, parseBytes, parseSeconds } from './quantities.js';
import type { ManagerSettings } from './settings.js';

export { Problem } from './problem.js';

const ON: readonly string[] = ['true', 'yes', 'on', '1'];
const OFF: readonly string[] = ['false', 'no', 'off', '0'];

/** `true`, `yes`, `on`, `1` → true; `false`, `no`, `off`, `0` → false. */
export function parseBoolean(text: string): boolean | Problem {
  const word = text.toLowerCase();
  if (ON.includes(word)) return true;
  return OFF.includes(word) ? false : new Problem('must be true or false');
}

/** A number in the flag's own unit and within its limits: whole for an integer, in bytes for a size, in seconds for a duration. */
export function parseNumber(text: string, definition: FlagDefinition): number | Problem {
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = definition;
  switch (definition.kind) {
    case 'integer':
      return within(
        /^\d+$/.test(text) ? Number(text) : NaN,
        min,
        max,
        `a whole number from ${min} to ${max}`,
      );
    case 'bytes':
      return parseBytes(text, definition);
    case 'seconds':
      return parseSeconds(text, definition);
    default: {
      const value = DECIMAL.test(text) ? Number(text) : NaN;
      return within(value === 0 ? NaN : value, min, max, `a number above 0 and up to ${max}`);
    }
  }
}

/** Beyond so many for each CPU core, processes only take each other's time and memory. */
const WORKERS_PER_CORE = 8;
/** So many may be had on any machine. */
const FEW_WORKERS = 16;

/** How many workers there are to be, on a machine with so many CPU cores. */
export function parseWorkers(text: string, cpuCount: number): number | Problem {
  const max = Math.max(FEW_WORKERS, WORKERS_PER_CORE * cpuCount);
  const machine =
    cpuCount === 1
      ? 'this machine has 1 CPU core; 1 worker is sensible'
      : `this machine has ${cpuCount} CPU cores; ${cpuCount} workers are sensible`;
  return within(
    /^\d+$/.test(text) ? Number(text) : NaN,
    1,
    max,
    `a whole number from 1 to ${max} (${machine})`,
  );
}

function within(value: number, min: number, max: number, expected: string): number | Problem {
  return value >= min && value <= max ? value : new Problem(`must be ${expected}`);
}

/**
 * An address or a CIDR range: `10.0.0.0/8`, `fd00::/8`, `192.0.2.1`. An IPv4 range that is written as IPv6 (`::ffff:10.0.0.0/104`)
 * becomes what it means.
 */
export function parseCidr(text: string): string | Problem {
  const [, address = '', digits] = /^([^/%]*)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const family = isIP(address);
  const bits = family === 4 ? 32 : 128;
  const prefix = digits === undefined ? bits : Number(digits);
  if (family === 0 || prefix > bits) {
    return new Problem('must be an IP address or a range of them, such as 10.0.0.0/8 or fd00::/8');
  }
  const mapped = /^::ffff:([\d.]+)$/i.exec(address)?.[1];
  const shown =
    mapped !== undefined && prefix >= 96 ? [mapped, prefix - 96] : [address.toLowerCase(), prefix];
  return digits === undefined ? String(shown[0]) : shown.join('/');
}

/** The value of `Strict-Transport-Security` (RFC 6797 §6.1): `max-age` is what it must have. */
export function parseHsts(text: string): string | Problem {
  // A line end in it would end the header field.
  if (!/^[\x20-\x7e]+$/.test(text)) return new Problem('must be plain text without control characters');
  return /(?:^|;)\s*max-age\s*=\s*(?:\d+|"\d+")\s*(?:;|$)/i.test(text)
    ? text
    : new Problem('must have a max-age, such as "max-age=31536000; includeSubDomains"');
}

/** A Redis URL, with database 9 written into it where it names none. */
export function parseRedisUrl(text: string): string | Problem {
  const expected = new Problem('must be redis://host:port/database, rediss:// or unix:///path?db=9');
  if (!/^(?:rediss?:\/\/|unix:\/)/.test(text) || !URL.canParse(text)) return expected;
  const url = new URL(text);
  const database = url.searchParams.get('db') ?? '';
  if (!/^\d*$/.test(database)) return new Problem('must name the database by its number');
  if (url.protocol === 'unix:') {
    if (url.host !== '' || !/^\/[^/]/.test(url.pathname)) return expected;
    if (database === '') url.searchParams.set('db', '9');
    return `unix://${url.pathname}${url.search}`;
  }
  if (url.hostname === '') return expected;
  if (!/^\/?\d*$/.test(url.pathname)) return new Problem('must name the database by its number');
  if (url.pathname.length < 2) url.pathname = `/${database === '' ? '9' : database}`;
  return url.href;
}

export type ManagerUrl = Pick<ManagerSettings, 'root' | 'server' | 'prefix' | 'credentials'>;

/** The manager's root without a trailing slash, its server and path, and the credentials that stood in it. */
export function parseManagerUrl(text: string): ManagerUrl | Problem {
  const url = httpUrl(text);
  if (url === undefined) return new Problem('must be an http:// or https:// URL');
  if (/[?#]/.test(text)) return new Problem('must have no query and no fragment');
  const prefix = url.pathname.replace(/\/+$/, '');
  const place = { root: `${url.origin}${prefix}`, server: httpBackend(url), prefix };
  if (url.username === '' && url.password === '') return place;
  try {
    return {
      ...place,
      credentials: `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`,
    };
  } catch {
    return new Problem('holds a user name or password that is not percent-encoded rightly');
  }
}

/** `http://host:port` or `https://host:port`: a server that is asked at its root. */
export function parseOrigin(text: string): HttpBackend | Problem {
  const url = httpUrl(text);
  if (url === undefined) return new Problem('must be an http:// or https:// URL');
  if (url.username !== '' || url.password !== '') return new Problem('must hold no user name and password');
  return url.pathname === '/' && !/[?#]/.test(text)
    ? httpBackend(url)
    : new Problem('must end after the host and port: challenges are asked for at the root');
}

/** The URL that is asked before an order. A query is kept. */
export function parseAskUrl(text: string): string | Problem {
  const url = httpUrl(text);
  if (url === undefined) return new Problem('must be an http:// or https:// URL');
  if (url.username !== '' || url.password !== '') return new Problem('must hold no user name and password');
  return text.includes('#') ? new Problem('must have no fragment') : url.href;
}

/** `http:host` and `http:/host` are fine for the URL class, and nobody means them. */
export function httpUrl(text: string): URL | undefined {
  return /^https?:\/\/[^/]/i.test(text) && URL.canParse(text) ? new URL(text) : undefined;
}

/** `example.com`, `*.example.com` or `*`, in lower case. */
export function parsePattern(text: string): string | Problem {
  return text === '*'
    ? text
    : (normaliseDomain(text) ?? new Problem('must be example.com, *.example.com (every name below) or *'));
}

/** A host as a Host header may have it, without a port: a name, or an IP address without brackets. */
export function parseHost(text: string): string | Problem {
  const host = readOwnHost(text);
  const hasPort = host !== undefined && /:\d+$/.test(host.text);
  const bare = hasPort ? undefined : (host?.name ?? host?.address);
  return bare ?? new Problem('must be a host name or an IP address, without a port');
}

/** A path without a trailing slash: `/.peter_sslers`. */
export function parsePrefix(text: string): string | Problem {
  const prefix = text.replace(/\/+$/, '');
  return /^(?:\/[\w.~-]+)+$/.test(prefix) && !/\/\.{1,2}(?:\/|$)/.test(prefix)
    ? prefix
    : new Problem('must be a path such as /.peter_sslers, of letters, digits and . _ ~ -');
}

/** One of a fixed list. */
export function parseChoice<T extends string>(text: string, choices: readonly T[]): T | Problem {
  return choices.find((choice) => choice === text) ?? new Problem(`must be one of ${choices.join(', ')}`);
}
