/**
 * Whether OpenSSL serves a certificate: found out by building a secure context from it, once a new certificate.
 *
 * Nothing else can tell: `X509Certificate` reads a leaf signed with SHA-1, an RSA key of 512 bits and any curve; which of them is
 * refused depends on this Node's OpenSSL and its security level. The verdicts are remembered, so that a hit costs a look-up in
 * a map. A context is closed at once: its native memory is unknown to V8, and would pile up until a major collection.
 */
import { growingLru } from '../base/growing-lru.js';
import type { CertificateBundle } from '../domain/certificate.js';
import { describeError } from '../domain/errors.js';
import { buildContext, closeContext } from '../tls/secure-context.js';

/** Verdicts remembered. One that is forgotten costs a context more. */
const MAX_VERDICTS = 100_000;

/** Builds the secure context that would be served, and closes it again. @throws OpenSSL's reason for refusing it. */
function tryContext(bundle: CertificateBundle): void {
  closeContext(buildContext(bundle));
}

export class ServableCertificates {
  /** By fingerprint: OpenSSL's reason, or null where it serves the certificate. */
  readonly #verdicts = growingLru<string, { readonly refusal: string | null }>(MAX_VERDICTS);
  readonly #attempt: (bundle: CertificateBundle) => void;

  /** @param attempt throws where a bundle cannot be served. */
  constructor(attempt: (bundle: CertificateBundle) => void = tryContext) {
    this.#attempt = attempt;
  }

  /** OpenSSL's reason for not serving a bundle, or null. */
  refusalOf(bundle: CertificateBundle): string | null {
    const known = this.#verdicts.get(bundle.fingerprint);
    if (known !== undefined) return known.refusal;
    let refusal: string | null = null;
    try {
      this.#attempt(bundle);
    } catch (thrown) {
      refusal = describeError(thrown);
    }
    this.#verdicts.set(bundle.fingerprint, { refusal });
    return refusal;
  }

  /** A worker could not build it: from now on it counts as refused. */
  refuse(fingerprint: string, reason: string): void {
    this.#verdicts.set(fingerprint, { refusal: reason });
  }
}
