/**
 * What both kinds of access log lines are made with. PURE.
 *
 * Much in a line comes from the client: all but printable ASCII is escaped, so that none of it ends a line or a quoted value.
 */

/** One JSON object as a line, with its newline. Members that are undefined are left out. */
export function jsonLine(members: Readonly<Record<string, unknown>>): string {
  // JSON allows characters that a terminal acts upon. All of it that is not ASCII is inside strings.
  const ascii = JSON.stringify(members).replace(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return `${ascii}\n`;
}

/** Escapes as nginx does: `\xHH` for each octet of what is not printable ASCII, a quote or a backslash. */
export function quotable(text: string): string {
  return text.replace(/[^\x20-\x7e]|["\\]/gu, (character) => {
    const unit = character.charCodeAt(0);
    // Node gives the octets of a target as one character each.
    const octets = unit < 0x100 ? [unit] : [...Buffer.from(character)];
    return octets.map((octet) => `\\x${octet.toString(16).toUpperCase().padStart(2, '0')}`).join('');
  });
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/**
 * `24/Nov/2026:07:23:36 +0000`: always in UTC.
 *
 * @param timeMs milliseconds since 1970
 */
export function commonTime(timeMs: number): string {
  const date = new Date(timeMs);
  const day = String(date.getUTCDate()).padStart(2, '0');
  const time = date.toISOString().slice(11, 19);
  return `${day}/${MONTHS[date.getUTCMonth()]}/${date.getUTCFullYear()}:${time} +0000`;
}

/** Milliseconds to the microsecond. */
export function roundMs(durationMs: number): number {
  return Math.round(durationMs * 1000) / 1000;
}
