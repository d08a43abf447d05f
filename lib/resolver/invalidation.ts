/**
 * What is known of names and counts no longer: expired by hand, overtaken by a change of a source, or refused by a worker.
 *
 * Each case begins a new epoch for its names: flights under way answer their waiters, and store nothing. They differ in what
 * goes besides: the certificate itself, or only its freshness.
 */
import type { NegativeCache } from '../caches/negative-cache.js';
import type { PemCache } from '../caches/pem-cache.js';
import { bundleOf } from '../domain/certificate.js';
import type { ResolveRequest } from '../domain/lookup.js';
import { withThoseBelow, type ServerName } from '../domain/server-name.js';
import { logOfHandshake, type Logger } from '../log/logger.js';
import type { ChangedNames } from '../sources/source.js';
import type { Outcome } from './conclude.js';
import type { Halves } from './halves.js';
import type { LookUps } from './look-up.js';
import type { ServableCertificates } from './servable.js';
import type { SingleFlight } from './single-flight.js';

export interface InvalidationParts {
  readonly pem: PemCache;
  readonly negative: NegativeCache;
  readonly log: Logger;
  readonly flights: SingleFlight<Outcome>;
  readonly lookUps: LookUps;
  readonly halves: Halves;
  readonly servable: ServableCertificates;
}

export class Invalidation {
  readonly #parts: InvalidationParts;

  constructor(parts: InvalidationParts) {
    this.#parts = parts;
  }

  /** A hard expire of one name: nothing that is known of it stays. */
  expireDomain(name: ServerName): void {
    const { pem, negative, flights, lookUps, halves } = this.#parts;
    flights.detach(name);
    pem.delete(name);
    negative.delete(name);
    halves.forget(name);
    this.#withdrawLent(name);
    lookUps.purge(name);
  }

  /** An expire of everything. @param options `hard`: the retained certificates go too. */
  expireAll(options: { readonly hard: boolean }): void {
    const { pem, negative, flights, lookUps, halves } = this.#parts;
    flights.detach();
    pem.flush(options);
    negative.clear();
    halves.lookAgain();
    lookUps.overtake();
  }

  /** A source has something new for these names, or (undefined) for any: what is retained of them is stale. */
  changed(names: ChangedNames): void {
    const { pem, negative, flights, lookUps, halves } = this.#parts;
    lookUps.overtake();
    if (names === undefined) {
      flights.detach();
      pem.flush({ hard: false });
      negative.clear();
      halves.lookAgain();
      return;
    }
    const known = [...pem.names(), ...negative.names(), ...flights.names()];
    const concerned = withThoseBelow(names, known);
    pem.makeStale(concerned);
    halves.lookAgain(concerned);
    for (const name of concerned) {
      flights.detach(name);
      negative.delete(name);
    }
  }

  /** A worker could not build a certificate that we took for servable: it is dropped, so that another one is looked for. */
  refuse(
    name: ServerName,
    { fingerprint, reason }: NonNullable<ResolveRequest['refused']>,
    handshake: string | undefined,
  ): void {
    const { pem, flights, servable } = this.#parts;
    servable.refuse(fingerprint, reason);
    if (pem.get(name)?.entry.certificate.fingerprint !== fingerprint) return;
    const log = logOfHandshake(this.#parts.log, handshake);
    log.err('a worker cannot serve a certificate: another one is looked for', { name, reason });
    flights.detach(name);
    pem.delete(name);
  }

  /** The wildcard is withdrawn: so are the halves that names below it have from it. */
  #withdrawLent(wildcard: ServerName): void {
    const { pem, halves } = this.#parts;
    for (const [name, lent] of halves.lentBelow(wildcard)) {
      const entry = pem.get(name)?.entry;
      const own = entry?.certificate.pairs.filter(({ fingerprint }) => fingerprint !== lent) ?? [];
      if (entry === undefined || own.length === entry.certificate.pairs.length) continue;
      if (own.length === 0) pem.delete(name);
      else pem.set(name, bundleOf(own), entry.origin, 0);
    }
  }
}
