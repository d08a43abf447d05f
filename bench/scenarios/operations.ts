/**
 * The operations by which proxies are compared, each a row of the table.
 */
import { SMALL_ANSWER_BYTES } from '../backends/nginx-backend.js';
import type { Amounts, Protocol, TicketUse, TlsVersion } from '../load/orders.js';
import { CONCURRENCY } from '../measure.js';

interface Common {
  readonly title: string;
  /** Operations for each one that the options ask for: what is small is too short to measure, what is large too long. */
  readonly factor: number;
}

/** A new connection, a handshake and one request, which is forwarded. */
export interface HandshakeOperation extends Common {
  readonly kind: 'handshakes';
  readonly key: 'ec' | 'rsa';
  readonly tls: TlsVersion;
  readonly tickets: TicketUse;
}

/** A question and its answer on a kept connection. */
export interface ExchangeOperation extends Common, Omit<Amounts, 'name'> {
  readonly kind: 'exchanges';
  readonly connections: number;
  /** The backend is the one that returns 1 KB, whatever is asked. */
  readonly isSmall?: boolean;
}

/** A request on one HTTP/2 connection. */
export interface StreamsOperation extends Common {
  readonly kind: 'streams';
  readonly streams: number;
  /** Absent: a small request. */
  readonly bytes?: Pick<Amounts, 'upBytes' | 'downBytes'>;
}

export type Operation = HandshakeOperation | ExchangeOperation | StreamsOperation;

const KIB = 1024;
const MIB = 1024 ** 2;
const HEAD_BYTES = 1.5 * KIB;
const ECHO_BYTES = 64;
/** So that a proxy finds several requests each time it wakes up. */
const MANY = 64;
const STREAMS = 100;

function handshakes(
  title: string,
  key: HandshakeOperation['key'],
  tls: TlsVersion,
  tickets: TicketUse,
): HandshakeOperation {
  return { kind: 'handshakes', factor: 1, title, key, tls, tickets };
}

export const HANDSHAKES: readonly Operation[] = [
  handshakes('full handshake, EC P-256', 'ec', 'TLSv1.3', 'none'),
  handshakes('full handshake, RSA-2048', 'rsa', 'TLSv1.3', 'none'),
  handshakes('resumed, TLS 1.3', 'ec', 'TLSv1.3', 'again'),
  handshakes('resumed, TLS 1.2', 'ec', 'TLSv1.2', 'again'),
  handshakes('resumed, TLS 1.3, tickets of single use', 'ec', 'TLSv1.3', 'once'),
];

function small(title: string, connections: number, headBytes?: number): ExchangeOperation {
  return {
    ...{ kind: 'exchanges', factor: connections === 1 ? 5 : 10, title, connections },
    ...{ isSmall: true, protocol: 'http/1.1', upBytes: 0, downBytes: SMALL_ANSWER_BYTES },
    ...(headBytes === undefined ? {} : { headBytes }),
  };
}

function echo(title: string, protocol: Protocol): ExchangeOperation {
  const bytes = { upBytes: ECHO_BYTES, downBytes: ECHO_BYTES };
  return { kind: 'exchanges', factor: 10, title, connections: MANY, protocol, ...bytes };
}

/** Both ways: one row each. */
function bulk(title: string, protocol: Protocol, mib: number): ExchangeOperation[] {
  const common = { kind: 'exchanges', factor: 0.2 / mib, connections: CONCURRENCY, protocol } as const;
  const bytes = mib * MIB;
  return [
    { ...common, title: `${title}${mib} MiB to the client`, upBytes: 0, downBytes: bytes },
    { ...common, title: `${title}${mib} MiB from the client`, upBytes: bytes, downBytes: ECHO_BYTES },
  ];
}

/** The same over HTTP/2: as many at once, on one connection. */
function bulkStreams(mib: number): StreamsOperation[] {
  const common = { kind: 'streams', factor: 0.2 / mib, streams: CONCURRENCY } as const;
  const bytes = mib * MIB;
  return [
    { ...common, title: `HTTP/2, ${mib} MiB to the client`, bytes: { upBytes: 0, downBytes: bytes } },
    {
      ...common,
      title: `HTTP/2, ${mib} MiB from the client`,
      bytes: { upBytes: bytes, downBytes: ECHO_BYTES },
    },
  ];
}

export const PROXYING: readonly Operation[] = [
  small('request, 1 kept connection', 1),
  small(`request, ${MANY} kept connections`, MANY),
  small(`request with ${HEAD_BYTES / KIB} KiB of head, ${MANY} connections`, MANY, HEAD_BYTES),
  ...bulk('', 'http/1.1', 1),
  ...bulk('', 'http/1.1', 10),
  echo(`WebSocket, echo of ${ECHO_BYTES} bytes, ${MANY} connections`, 'websocket'),
  echo(`TCP mode, echo of ${ECHO_BYTES} bytes, ${MANY} connections`, 'tcp'),
  ...bulk('TCP mode, ', 'tcp', 1),
];

export const HTTP2: readonly Operation[] = [
  { kind: 'streams', factor: 5, title: 'request, HTTP/2, one at a time', streams: 1 },
  { kind: 'streams', factor: 10, title: `request, HTTP/2, ${STREAMS} streams`, streams: STREAMS },
  ...bulkStreams(1),
];
