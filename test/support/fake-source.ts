/**
 * A source whose answers a test gives.
 */
import { defer, type Deferred } from '../../lib/base/deferred.js';
import type { Lookup } from '../../lib/domain/lookup.js';
import type { CertificatePair } from '../../lib/domain/certificate.js';
import type { ServerName } from '../../lib/domain/server-name.js';
import type {
  CertificateSource,
  ChangedNames,
  LookupContext,
  SourceCheck,
  SourceRole,
} from '../../lib/sources/source.js';

export const ABSENT: Lookup = { kind: 'absent' };
export const DOWN: Lookup = { kind: 'unavailable', reason: 'it is down', scope: 'source' };
export const WAIT: Lookup = { kind: 'pending', reason: 'no token left' };
export const found = (...pairs: CertificatePair[]): Lookup => ({
  kind: 'found',
  candidates: pairs.map((pair) => [pair]),
});

type Answer = Lookup | ((name: ServerName, context: LookupContext) => Lookup | Promise<Lookup>);

export class FakeSource implements CertificateSource {
  readonly name: string;
  role?: SourceRole;
  isLocal = false;
  /** The names that were asked for, in order. */
  readonly asked: string[] = [];
  readonly contexts: LookupContext[] = [];
  /** What `forget` was called with. */
  readonly forgotten: (string | undefined)[] = [];
  closed = false;
  #answer: Answer;
  #onChange: (names: ChangedNames) => void = () => undefined;

  constructor(name: string, answer: Answer = ABSENT) {
    this.name = name;
    this.#answer = answer;
  }

  /** What it answers from now on. */
  answer(answer: Answer): void {
    this.#answer = answer;
  }

  /** From now on its answers have to be given by hand, one by one. */
  hold(): Deferred<Lookup> {
    const held = defer<Lookup>();
    this.#answer = () => held.promise;
    return held;
  }

  async lookup(name: ServerName, context: LookupContext): Promise<Lookup> {
    this.asked.push(name);
    this.contexts.push(context);
    return typeof this.#answer === 'function' ? this.#answer(name, context) : this.#answer;
  }

  check(): Promise<SourceCheck> {
    return Promise.resolve({ ok: true });
  }

  forget(name?: ServerName): void {
    this.forgotten.push(name);
  }

  onChange(listener: (names: ChangedNames) => void): void {
    this.#onChange = listener;
  }

  /** Tells whoever listens that these names have changed. */
  change(names: ChangedNames): void {
    this.#onChange(names);
  }

  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }
}
