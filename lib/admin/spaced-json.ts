/**
 * JSON with a space after each comma and colon, as the original prints it. Nothing depends on that but people who
 * compare.
 *
 * PURE.
 */

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

export function spacedJson(value: Json): string {
  if (isArray(value)) return `[${value.map(spacedJson).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(
    ([key, member]) => `${JSON.stringify(key)}: ${spacedJson(member)}`,
  );
  return `{${members.join(', ')}}`;
}

/** `Array.isArray` does not narrow read-only arrays. */
const isArray = (value: Json): value is readonly Json[] => Array.isArray(value);
