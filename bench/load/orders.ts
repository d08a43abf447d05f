/**
 * What the driver can be told to do, and what it says of it.
 */

/** What every order of load has. */
interface Target {
  /** On 127.0.0.1. */
  readonly port: number;
  readonly operations: number;
  /** Operations under way at once. */
  readonly concurrency: number;
}

/** The certificate that every server must show. */
export interface Expected {
  /** SHA-256, as `X509Certificate.fingerprint256` has it. */
  readonly certificate: string;
}

export type TlsVersion = 'TLSv1.2' | 'TLSv1.3';

/**
 * Which ticket a connection offers. `none`: a full handshake each time; `again`: the newest one, however often it was used; `once`:
 * the newest unused one, as browsers do with TLS 1.3 (RFC 8446, appendix C.4).
 */
export type TicketUse = 'none' | 'again' | 'once';

/** An operation is a new connection, a handshake, one request and its answer. */
export interface HandshakeOrder extends Target, Expected {
  readonly kind: 'handshakes';
  /** Taken in turn; or one pattern in which `#` is the number of the operation. */
  readonly names: readonly string[] | string;
  /** The number of the first operation. */
  readonly first: number;
  readonly path: string;
  /** What every answer must have. */
  readonly status: number;
  readonly tls: TlsVersion;
  readonly tickets: TicketUse;
}

/** How many operations were not what they should be. */
export interface Faults {
  /** Operations without the right answer. */
  readonly failures: number;
  /** Why, of the first one. */
  readonly firstFailure: string | undefined;
  /** Handshakes with another certificate than the expected one. */
  readonly wrongCertificates: number;
}

export interface HandshakeReport extends Faults {
  /** Handshakes that resumed a session. */
  readonly reused: number;
  /** How often the information page named each tier; `none`: another page answered. */
  readonly tiers: Readonly<Record<string, number>>;
}

/** How a question and its answer are told apart from what comes before and after: see `framings.ts`. */
export type Protocol = 'http/1.1' | 'websocket' | 'tcp';

/** What one exchange is: so many bytes there, so many back. */
export interface Amounts {
  readonly protocol: Protocol;
  readonly name: string;
  readonly upBytes: number;
  readonly downBytes: number;
  /** Length of a request's head, with the fields of a browser. @default as short as can be */
  readonly headBytes?: number;
}

/** An operation is a question and its answer on a connection that is kept: from order to order, too. */
export interface ExchangeOrder extends Target, Expected, Amounts {
  readonly kind: 'exchanges';
}

/** One answer, read slowly for a while on a connection of its own, which then is closed. */
export interface SlowOrder extends Pick<Target, 'port'>, Amounts {
  readonly kind: 'slow';
  /** After each piece that is read. */
  readonly pauseMs: number;
  readonly forMs: number;
}

export interface SlowReport {
  readonly readBytes: number;
}

/** Closes the kept connections, or the servers would wait for them when they stop; and drops all tickets. */
export interface ForgetOrder {
  readonly kind: 'forget';
}

export type LoadOrder = HandshakeOrder | ExchangeOrder | SlowOrder | ForgetOrder;

/** From the kind of an order to what the driver answers. */
export interface LoadReports {
  readonly handshakes: HandshakeReport;
  readonly exchanges: Faults;
  readonly slow: SlowReport;
  readonly forget: null;
}
