/**
 * The name that a manager is asked for to see whether it works: it answers that it does not know it.
 */
import type { Lookup } from '../../domain/lookup.js';
import type { ServerName } from '../../domain/server-name.js';

/** Reserved by RFC 6761 §6.4, so no manager has it. */
export const IMPOSSIBLE_NAME = 'check.peter-sslers-proxy.invalid' as ServerName;

/** What is wrong with a manager that says this of the name; undefined: nothing. */
export function troubleOf(lookup: Lookup): string | undefined {
  if (lookup.kind === 'absent') return undefined;
  return 'reason' in lookup ? lookup.reason : 'it has a certificate for a name that cannot exist';
}
