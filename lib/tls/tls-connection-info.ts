/**
 * What is known of a TLS connection, once its handshake is done.
 */
import type { KeyClass } from '../domain/key-class.js';
import type { DefaultReason } from '../domain/default-reason.js';
import type { Tier } from '../domain/lookup.js';
import type { ServerName } from '../domain/server-name.js';
import type { ConnectionInfo, Endpoint } from '../net/connection-info.js';
import type { RawConnection } from '../net/raw-connection.js';
import type { HandshakeIds } from './handshake-ids.js';

interface Facts extends Pick<
  ConnectionInfo,
  | 'listener'
  | 'serverName'
  | 'tier'
  | 'reason'
  | 'keyClass'
  | 'chooseMs'
  | 'alpn'
  | 'client'
  | 'isClientKnown'
> {
  /** Of its handshake. */
  readonly number: number;
  /** When its handshake began: milliseconds of `performance.now`. */
  readonly startedAtMs: number;
  readonly ids: HandshakeIds;
  /** As a PROXY header says; undefined: the kernel is asked. */
  readonly local: Endpoint | undefined;
}

export class TlsConnectionInfo implements ConnectionInfo {
  readonly scheme = 'https';
  readonly listener: number;
  readonly serverName: ServerName | undefined;
  readonly tier: Tier | undefined;
  readonly keyClass: KeyClass | undefined;
  readonly reason: DefaultReason | undefined;
  readonly startedAtMs: number;
  readonly chooseMs: number;
  readonly alpn: string | undefined;
  readonly client: Endpoint;
  readonly isClientKnown: boolean;
  readonly #raw: RawConnection;
  readonly #number: number;
  readonly #ids: HandshakeIds;
  #local: Endpoint | undefined;

  constructor(raw: RawConnection, facts: Facts) {
    this.#raw = raw;
    this.listener = facts.listener;
    this.serverName = facts.serverName;
    this.tier = facts.tier;
    this.keyClass = facts.keyClass;
    this.reason = facts.reason;
    this.startedAtMs = facts.startedAtMs;
    this.chooseMs = facts.chooseMs;
    this.alpn = facts.alpn;
    this.client = facts.client;
    this.isClientKnown = facts.isClientKnown;
    this.#number = facts.number;
    this.#ids = facts.ids;
    this.#local = facts.local;
  }

  get handshake(): string {
    return this.#ids.textOf(this.#number);
  }

  /** Asked of the kernel when it is first wanted: few want it, and asking costs more than all the rest. */
  get local(): Endpoint {
    this.#local ??= this.#raw.local;
    return this.#local;
  }
}
