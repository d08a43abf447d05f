/**
 * How each field of a JSON line is read, of a request and of a connection of TCP mode. PURE.
 *
 * A field is read where it is chosen, and only then. What is undefined is left out of its line.
 */
import type { AccessLogField } from '../../config/access-log-fields.js';
import type { TcpEntry } from '../tunnel/tcp-record.js';
import type { TlsFacts } from '../downstream/tls-facts.js';
import type { AccessEntry, ConnectionEntry } from './entries.js';
import { tcpStatus } from './tcp-status.js';
import { roundMs } from './text.js';

export type FieldValue = string | number | boolean | undefined;
export type FieldReader<Entry> = (entry: Entry) => FieldValue;

/** Those of TLS: they must be read once while the connection is open. */
export const TLS_FIELDS: Partial<Readonly<Record<AccessLogField, (tls: TlsFacts) => FieldValue>>> = {
  tls: ({ protocol }) => protocol,
  cipher: ({ cipher }) => cipher,
  keyType: ({ keyType }) => keyType,
  certificate: ({ fingerprint }) => fingerprint,
  resumed: ({ isResumed }) => isResumed,
};

/** Those that need a trace of the request. */
export const TRACE_FIELDS: readonly AccessLogField[] = [
  'backend',
  'attempts',
  'backendStatus',
  'backendMs',
  'received',
];

const CONNECTION_FIELDS = {
  time: ({ timeMs }) => new Date(timeMs).toISOString(),
  handshake: ({ info }) => info.handshake,
  client: ({ info }) => info.client.address,
  name: ({ info }) => info.serverName,
  tier: ({ info }) => info.tier,
  reason: ({ info }) => info.reason,
  ms: ({ durationMs }) => roundMs(durationMs),
  tls: ({ tls }) => tls?.protocol,
  cipher: ({ tls }) => tls?.cipher,
  alpn: ({ info }) => info.alpn,
  keyType: ({ tls }) => tls?.keyType,
  certificate: ({ tls }) => tls?.fingerprint,
  resumed: ({ tls }) => tls?.isResumed,
  chooseMs: ({ info, tls }) => (tls === undefined ? undefined : roundMs(info.chooseMs)),
} satisfies Partial<Record<AccessLogField, FieldReader<ConnectionEntry>>>;

export const REQUEST_FIELDS: Readonly<Record<AccessLogField, FieldReader<AccessEntry>>> = {
  ...CONNECTION_FIELDS,
  id: ({ id }) => id,
  host: ({ host }) => host,
  method: ({ method }) => method,
  target: ({ target }) => target,
  protocol: ({ httpVersion }) => (httpVersion === undefined ? undefined : `HTTP/${httpVersion}`),
  backend: ({ trace }) => trace?.backend,
  status: ({ status }) => status,
  end: () => undefined,
  bytes: ({ bytes }) => bytes,
  received: ({ received }) => received,
  cut: ({ isCut }) => (isCut ? true : undefined),
  timeout: ({ timeout }) => timeout,
  referer: ({ referer }) => referer,
  userAgent: ({ userAgent }) => userAgent,
  attempts: ({ trace }) => trace?.attempts,
  backendStatus: ({ trace }) => trace?.status,
  backendMs: ({ trace }) => (trace?.headMs === undefined ? undefined : roundMs(trace.headMs)),
};

/** Members that a request's line has as well have the same names. */
export const TCP_FIELDS: Partial<Readonly<Record<AccessLogField, FieldReader<TcpEntry>>>> = {
  ...CONNECTION_FIELDS,
  protocol: () => 'TCP',
  backend: ({ backend }) => backend,
  status: ({ end }) => tcpStatus(end),
  end: ({ end }) => end,
  bytes: ({ bytesSent }) => bytesSent,
  received: ({ bytesReceived }) => bytesReceived,
  cut: ({ end }) => (end === 'ended' ? undefined : true),
  timeout: ({ end }) => (end === 'idle' ? 'tcp-idle-timeout' : undefined),
};
