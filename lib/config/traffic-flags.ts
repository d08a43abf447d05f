/**
 * The rows of the table of flags that are about traffic: where it comes in, where it goes, and within what limits.
 */
import { KIB, MIB, off, seconds, secondsOrNone, type FlagDefinition } from './flag.js';

export const LISTENER_FLAGS = {
  listen: {
    kind: 'text',
    value: 'ADDR:PORT|unix:/PATH',
    default: ['127.0.0.1:8443'],
    description:
      'accept TLS here; PORT alone: every address; port 0: any; systemd:NAME or fd:N: a socket that was passed',
    repeatable: true,
    restart: true,
  },
  'http-listen': {
    kind: 'text',
    value: 'ADDR:PORT|unix:/PATH',
    default: [],
    shown: 'none',
    description:
      'accept plain HTTP here: HTTP-01 challenges go to the manager, the rest is redirected to https',
    repeatable: true,
    restart: true,
  },
  'challenge-server': {
    kind: 'text',
    value: 'URL',
    default: [],
    shown: 'origin of --fallback-server',
    description: 'where challenges go, in turn: the next one is asked when one refuses, says 404 or is late',
    repeatable: true,
    secret: true,
  },
  'accept-proxy-protocol': {
    kind: 'text',
    value: 'CIDR',
    default: [],
    shown: 'none',
    description: 'peers that must send a PROXY header (v1 or v2) before anything else',
    repeatable: true,
  },
} as const satisfies Record<string, FlagDefinition>;

export const REQUEST_FLAGS = {
  backend: {
    kind: 'text',
    value: '[NAME=]URL',
    default: [],
    shown: 'built-in info page',
    description:
      'where requests go, of every host or of NAME (*.suffix too); several of one name are balanced',
    repeatable: true,
  },
  'send-proxy-protocol': {
    kind: 'choice',
    value: 'v1|v2',
    default: undefined,
    choices: ['v1', 'v2'],
    description: 'begin connections to tcp backends with a PROXY header',
  },
  'unknown-name': {
    kind: 'choice',
    value: 'serve|421|reject',
    default: 'serve',
    choices: ['serve', '421', 'reject'],
    description: 'for a name without certificate: its backend, a 421 page, or a TLS alert',
  },
  'http2-engine': {
    kind: 'choice',
    value: 'own|node',
    default: 'own',
    choices: ['own', 'node'],
    description: 'what speaks HTTP/2 with clients: an engine of its own, or as a way back that of Node',
  },
  'trusted-proxies': {
    kind: 'text',
    value: 'CIDR',
    default: [],
    shown: 'none',
    description: 'peers whose X-Forwarded-... and Forwarded fields are believed',
    repeatable: true,
  },
  via: off('add a Via field to requests and responses'),
  'forward-tls-info': off('tell backends the server name, protocol and cipher of the handshake'),
  hsts: {
    kind: 'text',
    value: 'VALUE',
    default: undefined,
    description: 'Strict-Transport-Security of every response, such as max-age=31536000; includeSubDomains',
  },
  'access-log': {
    kind: 'path',
    value: 'FILE|-',
    default: undefined,
    shown: 'off',
    description: 'one line a request or tcp connection, in a file or on stdout (-); SIGUSR1 reopens it',
  },
  'access-log-format': {
    kind: 'choice',
    value: 'common|combined|json',
    default: 'common',
    choices: ['common', 'combined', 'json'],
    description: "the web servers' common or combined log format, or one JSON object a line",
  },
  'access-log-field': {
    kind: 'text',
    value: 'NAME',
    default: [],
    shown: 'the usual ones',
    description: 'the fields of a JSON line, in this order: docs/access-log.md lists them',
    repeatable: true,
  },
} as const satisfies Record<string, FlagDefinition>;

export const LIMIT_FLAGS = {
  'max-header-size': {
    kind: 'bytes',
    value: 'SIZE',
    default: 16 * KIB,
    min: KIB,
    max: MIB,
    description: "a request's head",
    limits: 'maxHeaderBytes',
  },
  'header-timeout': seconds(10, "receiving a request's head", { limits: 'headerTimeoutMs' }),
  'idle-timeout': seconds(60, 'a kept connection without a request', { limits: 'idleTimeoutMs' }),
  'body-timeout': seconds(
    60,
    'for the next piece of a request body, and for the client to take a piece of a response',
    { limits: 'bodyTimeoutMs' },
  ),
  'backend-connect-timeout': seconds(5, 'connecting to a backend, TLS included', {
    limits: 'backendConnectTimeoutMs',
  }),
  'backend-headers-timeout': seconds(60, "from the end of a request to the backend's response head", {
    limits: 'backendHeadersTimeoutMs',
  }),
  'backend-body-timeout': seconds(60, 'between two pieces of a response body, not for the whole of it', {
    limits: 'backendBodyTimeoutMs',
  }),
  'backend-restart-wait': secondsOrNone(
    1,
    'for a route whose only backend refuses connections, from its first refusal on; 0: no wait',
    { limits: 'backendRestartWaitMs' },
  ),
  'tcp-idle-timeout': seconds(
    3600,
    'a tcp connection, or an upgraded one (WebSocket), on which nothing passes in either direction',
    { limits: 'tcpIdleTimeoutMs' },
  ),
  'max-connections': {
    kind: 'integer',
    value: 'n',
    default: 10_000,
    min: 1,
    max: 10_000_000,
    description: 'connections of clients that a worker has at once',
    limits: 'maxConnections',
  },
  'max-connections-per-client': {
    kind: 'integer',
    value: 'n',
    default: 1000,
    min: 1,
    max: 10_000_000,
    description: 'the same from one client address',
    limits: 'maxConnectionsPerClient',
  },
} as const satisfies Record<string, FlagDefinition>;
