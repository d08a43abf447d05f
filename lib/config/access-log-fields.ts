/**
 * The fields that a line of the access log may have in JSON. PURE.
 *
 * `docs/access-log.md` has the same table; `proxy/access-log/fields.ts` says how each is read.
 */

export interface AccessLogFieldRow {
  readonly says: string;
  /** Whose lines have it unless fields are chosen; absent: nobody's. */
  readonly byDefault?: 'all' | 'tcp';
}

export const ACCESS_LOG_FIELDS = {
  time: { says: 'when it ended, ISO 8601 in UTC', byDefault: 'all' },
  id: { says: 'of the request, as on error pages, in the log and in `X-Request-Id`', byDefault: 'all' },
  handshake: { says: 'the id of the handshake, as the log has it', byDefault: 'all' },
  client: { says: "the client's address", byDefault: 'all' },
  name: { says: 'the server name of the handshake', byDefault: 'all' },
  tier: {
    says: 'where the certificate came from: `lru`, `cache`, `default`, or a source: `redis`, `manager`, `directory`, `ca`',
    byDefault: 'all',
  },
  reason: { says: 'why that is `default`', byDefault: 'all' },
  host: { says: 'whom the request was for', byDefault: 'all' },
  method: { says: 'of the request', byDefault: 'all' },
  target: { says: 'of the request, as it came', byDefault: 'all' },
  protocol: { says: '`HTTP/1.1`, `HTTP/2.0`; `TCP`', byDefault: 'all' },
  backend: { says: 'the last that was asked, as in the log', byDefault: 'all' },
  status: { says: 'what the client was answered', byDefault: 'all' },
  end: { says: 'how a tcp connection ended', byDefault: 'tcp' },
  bytes: { says: 'sent to the client: of the body; behind a 101, and on tcp, of all', byDefault: 'all' },
  received: { says: 'the same from the client', byDefault: 'tcp' },
  ms: {
    says: 'from the head of the request to the end of the response; of the connection',
    byDefault: 'all',
  },
  tls: { says: '`TLSv1.3`, `TLSv1.2`', byDefault: 'all' },
  cut: { says: '`true` where the response did not come to its end', byDefault: 'all' },
  timeout: { says: 'the flag of the time-out that ended it', byDefault: 'all' },
  referer: { says: 'the field `Referer`' },
  userAgent: { says: 'the field `User-Agent`' },
  attempts: { says: 'how many backends were asked' },
  backendStatus: { says: 'what the last backend answered' },
  backendMs: { says: 'from giving it the request, a connection included, to the head of its response' },
  cipher: { says: "IANA's name of the cipher" },
  alpn: { says: 'the protocol that ALPN has chosen' },
  keyType: { says: "of the certificate's key: `ecdsa-p256`, `rsa-2048`, `ed25519`" },
  certificate: { says: 'SHA-256 of the leaf, in hexadecimal' },
  resumed: { says: 'whether the client has resumed a session' },
  chooseMs: { says: 'how long choosing the certificate took' },
} as const satisfies Record<string, AccessLogFieldRow>;

export type AccessLogField = keyof typeof ACCESS_LOG_FIELDS;

export const ACCESS_LOG_FIELD_NAMES = Object.keys(ACCESS_LOG_FIELDS) as readonly AccessLogField[];

/** The fields of a line where none are chosen. */
export function defaultFields(kind: 'requests' | 'tcp'): readonly AccessLogField[] {
  return ACCESS_LOG_FIELD_NAMES.filter((name) => {
    const { byDefault }: AccessLogFieldRow = ACCESS_LOG_FIELDS[name];
    return byDefault === 'all' || byDefault === kind;
  });
}
