/**
 * What is known of TLS on a client's connection.
 *
 * Each is read when it is first wanted, and kept: when the connection has closed, Node does not know it any more. Whoever wants one then
 * reads it once before.
 */
import type { X509Certificate } from 'node:crypto';
import type { CipherNameAndProtocol } from 'node:tls';
import { fingerprintOf } from '../../domain/fingerprint.js';
import type { TlsSession } from '../../net/client-socket.js';

export interface TlsFacts {
  /** `TLSv1.3` and the like. */
  readonly protocol: string | undefined;
  /** IANA's name of the cipher. */
  readonly cipher: string | undefined;
  /** The client has resumed a session. */
  readonly isResumed: boolean | undefined;
  /** SHA-256 of the leaf that was served, 64 hex digits: as other tools print it, without colons. */
  readonly fingerprint: string | undefined;
  /** Of the leaf: `ecdsa-p256`, `rsa-2048`, `ed25519`. */
  readonly keyType: string | undefined;
}

/** OpenSSL's names of curves, and those of everybody else. */
const CURVES: Readonly<Record<string, string>> = {
  prime256v1: 'p256',
  secp384r1: 'p384',
  secp521r1: 'p521',
};

export class SocketTlsFacts implements TlsFacts {
  readonly #socket: TlsSession;
  #protocol: string | undefined;
  #cipher: string | undefined;
  #isResumed: boolean | undefined;
  #certificate: X509Certificate | undefined;
  #keyType: string | undefined;

  constructor(socket: TlsSession) {
    this.#socket = socket;
  }

  get protocol(): string | undefined {
    return (this.#protocol ??= this.#alive?.getProtocol() ?? undefined);
  }

  get cipher(): string | undefined {
    // The types of Node's do not have the null of a connection that has closed, here and below.
    const cipher = (): CipherNameAndProtocol | null | undefined => this.#alive?.getCipher();
    return (this.#cipher ??= cipher()?.standardName);
  }

  get isResumed(): boolean | undefined {
    const isResumed = (): boolean | null | undefined => this.#alive?.isSessionReused();
    return (this.#isResumed ??= isResumed() ?? undefined);
  }

  /** The certificate that was served. */
  get certificate(): X509Certificate | undefined {
    return (this.#certificate ??= this.#alive?.getX509Certificate());
  }

  get fingerprint(): string | undefined {
    return this.certificate && fingerprintOf(this.certificate);
  }

  /** The socket, as long as it may be asked: Node crashes when it asks what OpenSSL has forgotten already. */
  get #alive(): TlsSession | undefined {
    return this.#socket.destroyed ? undefined : this.#socket;
  }

  get keyType(): string | undefined {
    return (this.#keyType ??= this.certificate && keyTypeOf(this.certificate));
  }
}

function keyTypeOf({ publicKey }: X509Certificate): string | undefined {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = publicKey;
  if (type === 'ec') return `ecdsa-${CURVES[details?.namedCurve ?? ''] ?? details?.namedCurve ?? 'unknown'}`;
  return details?.modulusLength === undefined ? type : `${type ?? 'rsa'}-${details.modulusLength}`;
}
