/**
 * Secure contexts: from a certificate bundle to what OpenSSL serves.
 *
 * Each context has a session id context of its own, derived from its certificate, and all share their ticket keys: a session
 * made for one name cannot be resumed on another (the class of CVE-2025-23419), a renewed certificate refuses old
 * tickets by itself, and a ticket from one worker is good at every other.
 *
 * A context costs 25 to 40 KiB of native memory that heap statistics do not show: whoever keeps contexts bounds them.
 */
import { constants } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import type { CertificateBundle } from '../domain/certificate.js';
import type { KeyClass } from '../domain/key-class.js';
import type { SessionTickets } from './session-tickets.js';

/**
 * OpenSSL's default suites with ECDSA before RSA for TLS 1.2, so that a name with both kinds is served by the cheaper
 * ECDSA key wherever the client can. AES-128-GCM first: 2 to 9 % less CPU a handshake than AES-256 (measured). No DHE: it
 * would need parameters of ours, and costs many times as much as ECDHE.
 */
export const CIPHER_SUITES: readonly string[] = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
  'AES128-GCM-SHA256',
  'AES256-GCM-SHA384',
];

/**
 * The groups of the key exchange: OpenSSL's defaults without those over finite fields, which TLS 1.3 would take too. With
 * ffdhe8192 a handshake costs the server 105 ms of CPU (measured), and asking for it costs a client nothing. X448, which
 * no browser offers, goes with them.
 *
 * From OpenSSL 3.5 on (Node 24) the hybrid group comes first, and the groups stand in the tuples of its defaults: a client
 * that has guessed one of a later tuple is asked again for one of an earlier. `?` passes over what a provider lacks.
 *
 * It goes by the version, not by a trial: when a list of groups is refused, Node 20 leaves the error in OpenSSL's queue, and
 * the next connection to read has it for its own.
 */
const GROUPS = isOpenSslSince(3, 5)
  ? '?X25519MLKEM768/?X25519:?P-256/?P-384:?P-521'
  : 'X25519:P-256:P-384:P-521';

function isOpenSslSince(major: number, minor: number): boolean {
  const [ownMajor = 0, ownMinor = 0] = process.versions.openssl.split('.').map(Number);
  return ownMajor > major || (ownMajor === major && ownMinor >= minor);
}

/** OpenSSL takes at most 32 bytes of session id context; Node throws on more. */
const SESSION_ID_CONTEXT_LENGTH = 32;

/** What keys each context has: to ask OpenSSL for the certificate of a connection takes as long as a handshake (Node 20: 0.7 ms). */
const KEYS = new WeakMap<SecureContext, readonly KeyClass[]>();

/** The part of Node's native context that is not in its types: works on every supported version, undocumented. */
interface NativeContext {
  close?(): void;
}

/**
 * Builds the context that serves a bundle. Synchronous: about 1.6 ms on Node 20, 0.3 ms from Node 24 on.
 *
 * @param tickets whose tickets it takes and issues. Undefined: of a key of its own, for a context that is not to be served.
 * @throws whatever OpenSSL has against the pair; `examine` has let it pass before.
 */
export function buildContext(bundle: CertificateBundle, tickets?: SessionTickets): SecureContext {
  const context = createSecureContext({
    cert: bundle.pairs.map(({ chainPem }) => chainPem),
    key: bundle.pairs.map(({ keyPem }) => keyPem),
    ciphers: CIPHER_SUITES.join(':'),
    ecdhCurve: GROUPS,
    honorCipherOrder: true,
    // With TLS 1.2 a client could ask for one handshake after the other on a connection, past every limit.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    minVersion: 'TLSv1.2',
    sessionIdContext: bundle.fingerprint.slice(0, SESSION_ID_CONTEXT_LENGTH),
  });
  tickets?.join(context);
  KEYS.set(
    context,
    bundle.pairs.map(({ keyClass }) => keyClass),
  );
  return context;
}

/** The keys of a context, the ECDSA one first; none where it was not built here. */
export function keyClassesOf(context: SecureContext): readonly KeyClass[] {
  return KEYS.get(context) ?? [];
}

/** Frees what a context holds outside V8's heap. It must not be given to a connection any more: that ends the process. */
export function closeContext(context: SecureContext): void {
  (context.context as NativeContext).close?.();
}
