/**
 * The default certificate: the one of the settings, else one that this program mints, once, and keeps until it ends.
 */
import type { CertificatePair } from '../domain/certificate.js';
import { mintDefaultCertificate } from '../pki/default-certificate.js';

export class DefaultPairs {
  #given: readonly CertificatePair[] | undefined;
  #minted: readonly CertificatePair[] | undefined;

  /** Makes sure that there is a certificate to fall back on where the settings have none. */
  async prepare(given: readonly CertificatePair[] | undefined): Promise<void> {
    if (given === undefined) this.#minted ??= [await mintDefaultCertificate(Date.now())];
  }

  /** Takes what the settings have. To be called after `prepare`. */
  use(given: readonly CertificatePair[] | undefined): void {
    this.#given = given;
  }

  /** The pairs in use. */
  get current(): readonly CertificatePair[] {
    return this.#given ?? this.#minted ?? [];
  }
}
