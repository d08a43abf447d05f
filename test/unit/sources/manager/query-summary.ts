/**
 * What a verdict on the manager's answer to a query comes to, in words that a table can hold: `found 2, order: no`.
 */
import type { QueryVerdict } from '../../../../lib/sources/manager/schema.js';

export function summarise({ lookup, mayOrder }: QueryVerdict): string {
  const detail =
    lookup.kind === 'found'
      ? ` ${lookup.candidates.length}`
      : lookup.kind === 'unavailable'
        ? ` (${lookup.scope})`
        : '';
  return `${lookup.kind}${detail}, order: ${mayOrder}`;
}
