/**
 * A source of an embedder's, held to what it says at run time: it may be plain JavaScript, where no type keeps it to the contract.
 *
 * An answer that is none is a failure of that source, which hides no certificate that another one has, and is never taken for
 * "there is none". It may be the fault of the one name: the source is skipped only if its `check()` fails, too.
 */
import { isRecord } from '../../base/is-record.js';
import type { Lookup } from '../../domain/lookup.js';
import type { ServerName } from '../../domain/server-name.js';
import { doubted } from '../doubtful-failure.js';
import type { LookupContext } from '../source.js';
import { WrappedSource } from './wrapped-source.js';

export class OwnSource extends WrappedSource {
  override async lookup(name: ServerName, context: LookupContext): Promise<Lookup> {
    return read(await this.inner.lookup(name, context));
  }
}

function read(answer: unknown): Lookup {
  const { kind, candidates, reason, scope }: Partial<Record<string, unknown>> = isRecord(answer)
    ? answer
    : {};
  const words = typeof reason === 'string' ? reason : 'it does not say why';
  switch (kind) {
    case 'found':
      return isList(candidates)
        ? { kind, candidates }
        : broken('it says found, with a `candidates` that is no list');
    case 'absent':
      return { kind };
    case 'pending':
      return { kind, reason: words };
    case 'unavailable':
      // As it came: whether its failure is doubtful is in it, too.
      return typeof reason === 'string' && (scope === 'source' || scope === 'name')
        ? (answer as Lookup)
        : { kind, reason: words, scope: scope === 'name' ? 'name' : 'source' };
    default:
      return broken('its answer is none of found, absent, unavailable and pending');
  }
}

/** What is wrong inside is said by the examination of each pair. */
function isList(value: unknown): value is Extract<Lookup, { kind: 'found' }>['candidates'] {
  return Array.isArray(value);
}

function broken(reason: string): Lookup {
  return doubted({ kind: 'unavailable', reason, scope: 'source' });
}
