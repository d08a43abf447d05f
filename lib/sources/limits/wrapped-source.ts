/**
 * A source around another one: what it is called and can do, and all that needs no limit, is the inner one's.
 */
import type { SourceInspection } from '../../domain/inspection.js';
import type { Lookup } from '../../domain/lookup.js';
import type { ServerName } from '../../domain/server-name.js';
import type { CertificateSource, ChangedNames, LookupContext, SourceCheck, SourceRole } from '../source.js';

export abstract class WrappedSource implements CertificateSource {
  readonly name: string;
  readonly role?: SourceRole;
  readonly isLocal: boolean;
  readonly hasAddresses: boolean;
  protected readonly inner: CertificateSource;

  constructor(inner: CertificateSource) {
    this.name = inner.name;
    if (inner.role !== undefined) this.role = inner.role;
    this.isLocal = inner.isLocal ?? false;
    this.hasAddresses = inner.hasAddresses ?? false;
    this.inner = inner;
  }

  abstract lookup(name: ServerName, context: LookupContext): Promise<Lookup>;

  check(): Promise<SourceCheck> {
    return this.inner.check();
  }

  async inspect(name: ServerName, options: { readonly signal: AbortSignal }): Promise<SourceInspection> {
    return (await this.inner.inspect?.(name, options)) ?? { remarks: [] };
  }

  forget(name?: ServerName): void {
    this.inner.forget?.(name);
  }

  onChange(listener: (names: ChangedNames) => void): void {
    this.inner.onChange?.(listener);
  }

  close(): Promise<void> {
    return this.inner.close();
  }
}
