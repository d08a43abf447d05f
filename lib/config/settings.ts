/**
 * The settings of a running program: validated, files read, every duration in milliseconds.
 *
 * `Settings` is what the primary works with; `WorkerSettings` (bus/messages) is the part that crosses to the workers.
 */
import type { CertificatePair } from '../domain/certificate.js';
import type { LogSettings } from '../log-pino.js';

export type { LogSettings } from '../log-pino.js';

export interface ListenAddress {
  /** An IPv4 or IPv6 address, without brackets. */
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
}

/** Where requests go after the handshake. */
export interface BackendSettings {
  /** `http://host:port`, or `https://host:port`. No path. */
  readonly origin: string;
  /** A unix socket to connect to instead of the origin's host. */
  readonly socketPath?: string;
}

export interface RedisSettings {
  readonly strategy: 1 | 2;
  /** `redis://`, `rediss://` or `unix:///path?db=9`. May hold a password: never to be logged as it is. */
  readonly url: string;
}

export interface AutocertSettings {
  /** Patterns (`example.com`, `*.example.com`, `*`) of the names that may be ordered. */
  readonly allow: readonly string[];
  /** A URL asked with `?domain=NAME` before an order: 2xx allows it. */
  readonly askUrl?: string;
  readonly holdoffMs: number;
  readonly concurrency: number;
  readonly timeoutMs: number;
}

export interface ManagerSettings {
  /** The manager's root with its prefix and without a trailing slash or credentials. */
  readonly root: string;
  /** The PEM text of the authorities that the manager's certificate must chain to. Absent: the system's. */
  readonly caPem?: string;
  /** `user:password` for HTTP Basic authentication. */
  readonly credentials?: string;
  /** The manager's JSON keys that may be used, best first. */
  readonly preferences: readonly string[];
  /** Absent: certificates are only queried, never ordered. */
  readonly autocert?: AutocertSettings;
  /** Requests a second that look-ups may make. */
  readonly missRate: number;
}

export interface InternalCaSettings {
  readonly dir: string;
  /** Patterns of the names that it mints for. */
  readonly allow: readonly string[];
}

export interface AdminSettings {
  /** Starts with `/`, has no trailing slash. */
  readonly prefix: string;
  /** The text of the htpasswd file. Absent: the routes answer 404 on public listeners. */
  readonly htpasswd?: string;
  /** Hosts that have admin routes; empty means any. */
  readonly hosts: readonly string[];
}

export interface Settings {
  readonly listen: readonly ListenAddress[];
  readonly workers: number;
  /** Absent: the built-in information page. */
  readonly backend?: BackendSettings;
  /** Absent: minted at the start. One or two pairs, checked. */
  readonly defaultPairs?: readonly CertificatePair[];
  readonly redis?: RedisSettings;
  readonly manager?: ManagerSettings;
  readonly certDir?: string;
  readonly internalCa?: InternalCaSettings;
  /** Source names in the order of asking; those not configured are left out. */
  readonly sources: readonly string[];
  readonly wildcards: boolean;
  readonly certCacheDurationMs: number;
  readonly certCacheSizeBytes: number;
  readonly negativeMaxItems: number;
  readonly errorCacheDurationMs: number;
  readonly lruCacheDurationMs: number;
  readonly lruMaxItems: number;
  readonly expireWorkers: boolean;
  readonly admin: AdminSettings;
  readonly stateDir: string;
  readonly pidFile?: string;
  readonly log: LogSettings;
  readonly handshakeTimeoutMs: number;
  readonly lookupTimeoutMs: number;
  /** How long the starter of an order waits for it. */
  readonly autocertTimeoutMs: number;
  readonly drainTimeoutMs: number;
}
