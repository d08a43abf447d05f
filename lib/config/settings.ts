/**
 * The settings of a running program: validated, files read, every duration in milliseconds.
 *
 * `Settings` is what the primary works with; `WorkerSettings` is the part that crosses to the workers.
 */
import type { Address, PassedSocket } from '../domain/address.js';
import type { CertificatePair } from '../domain/certificate.js';
import type { LogSettings } from '../log/pino-logger.js';
import type { AccessLogField } from './access-log-fields.js';
import type { HttpBackend } from './backend-origin.js';
import type { LimitSettings, PlainSettings } from './plain-settings.js';

export type { HttpBackend } from './backend-origin.js';
export type { LimitSettings } from './plain-settings.js';
export type { LogSettings } from '../log/pino-logger.js';

/** Where connections are accepted. */
export type ListenAddress = (Address | PassedSocket) & {
  /** Default certificates of this listener alone; one or two pairs, checked. */
  readonly defaultPairs?: readonly CertificatePair[];
};

/** One server that requests or connections go to after the handshake. */
export type BackendSettings =
  | HttpBackend
  /** Decrypted bytes are spliced through. */
  | { readonly kind: 'tcp'; readonly address: Address };

/** Where the requests of a name go. */
export interface RouteSettings {
  /** `www.example.com`, `*.example.com` (names below it, at any depth). Absent: the names that no other route has. */
  readonly pattern?: string;
  /** One or more, of one kind; between several the one with the fewest requests under way is taken. */
  readonly backends: readonly [BackendSettings, ...BackendSettings[]];
}

/** What is told to backends and clients in header fields. */
export interface HeaderSettings {
  /** Addresses and CIDR ranges of proxies before this one, whose `X-Forwarded-…` and `Forwarded` are believed. */
  readonly trustedProxies: readonly string[];
  readonly via: boolean;
  /** Adds the server name, protocol and cipher of the handshake for the backend. */
  readonly forwardTlsInfo: boolean;
  /** The value of `Strict-Transport-Security`. Absent: the field is left as the backend has it. */
  readonly hsts?: string;
}

export interface AccessLogSettings {
  /** Absent: standard output. */
  readonly file?: string;
  readonly format: 'common' | 'combined' | 'json';
  /** Of a JSON line, in their order. Absent: the usual ones. */
  readonly fields?: readonly AccessLogField[];
}

/** What a client gets when no certificate was found for its name. */
export type UnknownNamePolicy =
  /** The backend that its Host routes to. */
  | 'serve'
  /** A 421 page. */
  | '421'
  /** The TLS alert `unrecognized_name`. */
  | 'reject';

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
  /** The server in the root. */
  readonly server: HttpBackend;
  /** The path in the root: `/.well-known/peter_sslers`, or nothing. */
  readonly prefix: string;
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

/** Where challenges go that reach `--http-listen`. */
export interface ChallengeSettings {
  /** In the order of asking. Empty: none was named, and the manager is asked, where there is one. */
  readonly servers: readonly HttpBackend[];
  /** The PEM text of the authorities that their certificates must chain to. Absent: the system's. */
  readonly caPem?: string;
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
  /** Where the admin listener accepts. Where one is not of the loopback there is a `htpasswd`. */
  readonly listen: readonly Address[];
}

/** Beside the plain ones, which the table of flags declares. */
export interface Settings extends PlainSettings {
  readonly listen: readonly ListenAddress[];
  readonly workers: number;
  /** Where plain HTTP is accepted, on port 80 as a rule; empty: nowhere. */
  readonly httpListen: readonly (Address | PassedSocket)[];
  /** Addresses and CIDR ranges of peers that must send a PROXY header. Empty: nobody sends one. */
  readonly acceptProxyProtocol: readonly string[];
  /** Empty: the built-in information page. */
  readonly routes: readonly RouteSettings[];
  /** Sent to `tcp` backends. */
  readonly sendProxyProtocol?: 'v1' | 'v2';
  readonly unknownName: UnknownNamePolicy;
  /** Towards clients. */
  readonly http2Engine: 'own' | 'node';
  readonly headers: HeaderSettings;
  readonly limits: LimitSettings;
  /** Absent: off. */
  readonly accessLog?: AccessLogSettings;
  /** Absent: minted at the start. One or two pairs, checked. */
  readonly defaultPairs?: readonly CertificatePair[];
  readonly redis?: RedisSettings;
  readonly manager?: ManagerSettings;
  readonly challenges: ChallengeSettings;
  readonly certDir?: string;
  readonly internalCa?: InternalCaSettings;
  /** Source names in the order of asking; those not configured are left out. */
  readonly sources: readonly string[];
  readonly admin: AdminSettings;
  readonly stateDir: string;
  /** Absent: `control.sock` in `stateDir`. */
  readonly controlSocket?: string;
  readonly pidFile?: string;
  readonly log: LogSettings;
}
