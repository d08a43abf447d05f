/**
 * What is known of a spliced connection (TCP mode) when it has ended. PURE.
 */
import type { ConnectionInfo } from '../../net/connection-info.js';
import type { TlsFacts } from '../downstream/tls-facts.js';
import type { SpliceEnd } from './splice.js';

/** How a connection of TCP mode ended. HAProxy's letters behind each. */
export type TcpEnd =
  /**
   * `ended` (`--`): both sides have ended; `idle` (`cD`, `sD`): nothing passed for `--tcp-idle-timeout`; `client failed`
   * (`CD`) and `backend failed` (`SD`): one went without an end, or with a reset; `stopped` (`KD`): it was cut, for the
   * program has stopped and `--drain-timeout` was over.
   */
  | SpliceEnd
  /** `SC`, `sC`: none could be connected. */
  | 'no backend'
  /** `CC`: before a backend was connected. */
  | 'client gone'
  /** `PR`: not served (`--unknown-name`). */
  | 'no certificate';

/** What is told of a connection. */
export interface TcpEntry {
  /** When it ended: milliseconds since 1970. */
  readonly timeMs: number;
  readonly info: ConnectionInfo;
  readonly tls: TlsFacts;
  /** As `--backend` has it: `tcp://127.0.0.1:143`; undefined where none was connected. */
  readonly backend: string | undefined;
  readonly end: TcpEnd;
  /** Decrypted, from the backend to the client. */
  readonly bytesSent: number;
  /** Decrypted, from the client to the backend, without a PROXY header. */
  readonly bytesReceived: number;
  /** From the end of the handshake to the end of the connection. */
  readonly durationMs: number;
}
