/**
 * The one table of flags: what each is, its default and its limits. `--help`, the environment, the configuration file
 * and the table in docs/flags.md all come from it, so none of them can say something else.
 *
 * A flag `cert-cache-duration` is `--cert-cache-duration` or `--cert_cache_duration` on the command line,
 * `PETER_SSLERS_CERT_CACHE_DURATION` in the environment and `cert-cache-duration` or `cert_cache_duration` in the file.
 */

import { KIB, MIB, off, seconds, secondsOrNone, showBytes, type FlagDefinition } from './flag.js';
import { LIMIT_FLAGS, LISTENER_FLAGS, REQUEST_FLAGS } from './traffic-flags.js';

export type { FlagDefinition, FlagKind } from './flag.js';

/** The sources that there are, in their default order of asking. */
export const SOURCE_NAMES = ['directory', 'redis', 'manager', 'ca'] as const;

/** Names that nobody can own in public (RFC 6761, and `internal`, which ICANN has set aside). */
export const INTERNAL_CA_ALLOW = ['localhost', '*.localhost', '*.test', '*.internal'] as const;

/** The manager's JSON keys that hold certificates, of all three generations, in the default order of preference. */
export const CERT_PREFERENCES = [
  'x509_certificate__latest_multi',
  'x509_certificate__latest_single',
  'certificate_signed__latest_multi',
  'certificate_signed__latest_single',
  'server_certificate__latest_multi',
  'server_certificate__latest_single',
] as const;

export const FLAGS = {
  ...LISTENER_FLAGS,
  'default-cert': {
    kind: 'path',
    value: 'FILE',
    default: undefined,
    shown: 'self-minted',
    description: 'chain served without a valid server name, and on any miss; twice for RSA and ECDSA',
    repeatable: true,
  },
  'default-key': {
    kind: 'path',
    value: 'FILE',
    default: undefined,
    shown: 'self-minted',
    description: 'private key of --default-cert, in the same order',
    repeatable: true,
  },
  ...REQUEST_FLAGS,
  'redis-strategy': {
    kind: 'choice',
    value: '1|2|none',
    default: 'none',
    description: "the manager's prime style in Redis; none: Redis is not used",
    choices: ['1', '2', 'none'],
  },
  'redis-url': {
    kind: 'text',
    value: 'URL',
    default: 'redis://127.0.0.1:6379/9',
    description: 'redis://, rediss:// or unix:///path?db=9; database 9 when it names none',
    secret: true,
  },
  'fallback-server': {
    kind: 'text',
    value: 'URL',
    default: undefined,
    description: "the certificate manager's root with its prefix",
    secret: true,
  },
  'fallback-ca': {
    kind: 'path',
    value: 'FILE',
    default: undefined,
    description: "authorities that the manager and --challenge-server must chain to, instead of the system's",
  },
  'fallback-credentials': {
    kind: 'path',
    value: 'FILE',
    default: undefined,
    description: 'its first line is user:password for the manager',
  },
  'enable-autocert': off('let the manager order a certificate for a name that has none'),
  'autocert-allow': {
    kind: 'text',
    value: 'PATTERN|@FILE',
    default: ['*'],
    shown: 'every name',
    description:
      'names that may be ordered: example.com, *.example.com, *, or a file (@FILE, /FILE, ./FILE) with one a line',
    repeatable: true,
  },
  'autocert-ask': {
    kind: 'text',
    value: 'URL',
    default: undefined,
    description: 'asked with ?domain=NAME before an order: 2xx allows it',
  },
  'autocert-holdoff': seconds(900, 'rest after a failed order of a name; doubles up to 4 h'),
  'autocert-concurrency': {
    kind: 'integer',
    value: 'n',
    default: 2,
    min: 1,
    max: 64,
    description:
      'orders under way at once; the others queue. At most three over all hosts: the manager has four threads',
  },
  'cert-preferences': {
    kind: 'text',
    value: 'KEY',
    default: CERT_PREFERENCES,
    shown: 'all three generations, multi then single',
    description: "the manager's JSON keys that may be used, best first",
    repeatable: true,
  },
  'cert-dir': {
    kind: 'path',
    value: 'DIR',
    default: undefined,
    description: 'certificates on disk, as certbot, lego, acme.sh, Caddy, Kubernetes or HAProxy keep them',
  },
  'cert-dir-interval': seconds(2, 'how often --cert-dir is looked at for changes', {
    sets: 'certDirIntervalMs',
  }),
  'internal-ca': {
    kind: 'path',
    value: 'DIR',
    default: undefined,
    shown: 'ca in --state-dir when no other source is configured',
    description: 'mint certificates with an authority of our own that is kept there',
  },
  'internal-ca-allow': {
    kind: 'text',
    value: 'PATTERN',
    default: INTERNAL_CA_ALLOW,
    description: 'names that it mints for',
    repeatable: true,
  },
  sources: {
    kind: 'text',
    value: 'NAME',
    default: SOURCE_NAMES,
    description: 'order of asking; those not configured are left out',
    repeatable: true,
  },
  wildcards: off('serve a name that has nothing valid of its own with *.parent', { sets: 'wildcards' }),
  'miss-rate': {
    kind: 'number',
    value: 'n/s',
    default: 200,
    max: 1_000_000,
    description: 'requests to the manager a second',
  },
  'cert-cache-duration': seconds(600, "the primary's cache of certificates and misses", {
    sets: 'certCacheDurationMs',
    readBy: 'workers',
  }),
  'cert-cache-size': {
    kind: 'bytes',
    value: 'SIZE',
    default: 256 * MIB,
    min: KIB,
    max: Number.MAX_SAFE_INTEGER,
    description: 'its bound',
    sets: 'certCacheSizeBytes',
  },
  'negative-maxitems': {
    kind: 'integer',
    value: 'n',
    default: 100_000,
    min: 1,
    max: 100_000_000,
    description: 'misses remembered',
    sets: 'negativeMaxItems',
    readBy: 'workers',
  },
  'error-cache-duration': seconds(5, 'how long a failed look-up is remembered', {
    sets: 'errorCacheDurationMs',
    readBy: 'workers',
  }),
  'absent-grace': secondsOrNone(
    86_400,
    'a valid certificate serves on so long when every source says absent; 0: not at all',
    { sets: 'absentGraceMs' },
  ),
  'lru-cache-duration': seconds(60, "each worker's own cache of parsed certificates", {
    sets: 'lruCacheDurationMs',
    readBy: 'workers',
  }),
  'lru-maxitems': {
    kind: 'integer',
    value: 'n',
    default: 200,
    min: 1,
    max: 10_000_000,
    description: 'names in it',
    sets: 'lruMaxItems',
    readBy: 'workers',
  },
  'expire-workers': off("an expire reaches the workers' caches too, misses included", {
    sets: 'expireWorkers',
  }),
  workers: {
    kind: 'integer',
    value: 'n',
    default: undefined,
    shown: 'CPU count',
    description: 'worker processes: 16 at most, or 8 for each CPU core where that is more',
  },
  'admin-prefix': {
    kind: 'text',
    value: 'PATH',
    default: '/.peter_sslers',
    description: 'path of the admin routes, reserved on every host',
  },
  'admin-user-file': {
    kind: 'path',
    value: 'FILE',
    default: undefined,
    shown: 'none: admin routes answer 404',
    description: 'htpasswd file of those who may use the admin routes',
  },
  'admin-host': {
    kind: 'text',
    value: 'NAME',
    default: [],
    shown: 'any',
    description: 'the only Host that has admin routes',
    repeatable: true,
  },
  'state-dir': {
    kind: 'path',
    value: 'DIR',
    default: '.peter-sslers',
    restart: true,
    description: 'what the program keeps between runs',
  },
  'admin-listen': {
    kind: 'text',
    value: 'ADDR:PORT',
    default: [],
    shown: 'off',
    restart: true,
    repeatable: true,
    description: 'dashboard, metrics and health, on plain HTTP; beyond loopback --admin-user-file guards it',
  },
  'control-socket': {
    kind: 'path',
    value: 'PATH',
    default: undefined,
    shown: 'control.sock in --state-dir',
    restart: true,
    description: 'unix socket by which the other commands reach the program; only its own user may open it',
  },
  config: { kind: 'path', value: 'FILE', default: undefined, description: 'these flags as YAML or JSON' },
  'pid-file': {
    kind: 'path',
    value: 'FILE',
    default: undefined,
    restart: true,
    description: "holds the primary's process id",
  },
  'log-level': {
    kind: 'choice',
    value: 'LEVEL',
    default: 'notice',
    choices: ['err', 'notice', 'info', 'debug'],
    description: 'err, notice, info or debug; error, warn, trace and the like are taken for the nearest',
  },
  'log-file': {
    kind: 'path',
    value: 'FILE',
    default: undefined,
    shown: 'stderr',
    description: 'where the log goes; SIGUSR1 reopens it',
  },
  'log-format': {
    kind: 'choice',
    value: 'text|json',
    default: 'text',
    choices: ['text', 'json'],
    description: 'lines for people or one JSON object a line',
  },
  'handshake-timeout': seconds(5, "waiting for the client's bytes in a handshake", {
    sets: 'handshakeTimeoutMs',
    readBy: 'workers',
  }),
  'lookup-timeout': seconds(2, 'waiting for a certificate', { sets: 'lookupTimeoutMs', readBy: 'workers' }),
  'refresh-timeout': seconds(0.1, 'the same where a valid certificate is at hand, which then serves on', {
    sets: 'refreshTimeoutMs',
    readBy: 'workers',
  }),
  'autocert-timeout': seconds(30, 'the same for the connection that starts an order', {
    sets: 'autocertTimeoutMs',
    readBy: 'workers',
  }),
  'drain-timeout': seconds(30, 'finishing what is under way when stopping', {
    sets: 'drainTimeoutMs',
    readBy: 'workers',
  }),
  ...LIMIT_FLAGS,
} as const satisfies Record<string, FlagDefinition>;

export type FlagName = keyof typeof FLAGS;

export const FLAG_NAMES = Object.keys(FLAGS) as readonly FlagName[];

/** A flag's definition with the optional fields visible to the compiler. */
export function flag(name: FlagName): FlagDefinition {
  return FLAGS[name];
}

/** The flag that a name in either spelling means, or undefined. */
export function findFlag(spelled: string): FlagName | undefined {
  const name = spelled.replaceAll('_', '-');
  return Object.hasOwn(FLAGS, name) ? (name as FlagName) : undefined;
}

export const ENVIRONMENT_PREFIX = 'PETER_SSLERS_';

/** `cert-dir` → `PETER_SSLERS_CERT_DIR`. */
export function environmentName(name: FlagName): string {
  return `${ENVIRONMENT_PREFIX}${name.replaceAll('-', '_').toUpperCase()}`;
}

/** How each default is shown in `--help` and in docs/flags.md: `600`, `256 MiB`, `CPU count`, `none`. */
export const DEFAULTS = Object.fromEntries(
  FLAG_NAMES.map((name) => [name, showDefault(flag(name))]),
) as Readonly<Record<FlagName, string>>;

function showDefault(definition: FlagDefinition): string {
  if (definition.shown !== undefined) return definition.shown;
  const value = definition.default;
  if (value === undefined) return 'none';
  if (definition.kind === 'bytes' && typeof value === 'number') return showBytes(value);
  return typeof value === 'object' ? value.join(', ') : String(value);
}
