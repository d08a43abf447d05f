/**
 * `Max-Forwards`: how many proxies a TRACE or an OPTIONS may still pass (RFC 9110 §7.6.2). With other methods it means nothing. PURE.
 */
const VALUE = /^\d{1,15}$/;

/** How many it may pass, this one among them; undefined where the request does not say, or not in a way that can be read. */
export function forwardsLeft(method: string, fields: readonly string[]): number | undefined {
  if (method !== 'OPTIONS' && method !== 'TRACE') return undefined;
  const at = placeOf(fields);
  const value = fields[at + 1] ?? '';
  return at >= 0 && VALUE.test(value) ? Number(value) : undefined;
}

/** Sets what is left behind this proxy. Changes `fields`. */
export function setForwardsLeft(fields: string[], left: number): void {
  const at = placeOf(fields);
  if (at >= 0) fields[at + 1] = String(left);
}

/** Where its name is in a flat list; -1: nowhere. */
function placeOf(fields: readonly string[]): number {
  return fields.findIndex((text, i) => i % 2 === 0 && text.toLowerCase() === 'max-forwards');
}
