/**
 * How a flat list of fields (`[name, value, name, value, …]`) is walked. PURE.
 *
 * A callback costs nothing that could be measured against the bare loop, a generator four times as much (14 fields: 0.5 µs and
 * 2 µs, Node 20). The bare loop stays where a walk ends early or needs the position, and in the two filters that every
 * message passes (`headers.ts`).
 */

export function eachField(flat: readonly string[], visit: (name: string, value: string) => void): void {
  for (let i = 0; i + 1 < flat.length; i += 2) visit(flat[i] ?? '', flat[i + 1] ?? '');
}

/** The lines of a head on HTTP/1.1, each with its CRLF. The fields must have been looked at. */
export function fieldLines(flat: readonly string[]): string {
  let text = '';
  eachField(flat, (name, value) => (text += `${name}: ${value}\r\n`));
  return text;
}

/** All values of a field, as one. */
export function joinedValues(flat: readonly string[], lowerCaseName: string): string | undefined {
  let joined: string | undefined;
  for (let i = 0; i + 1 < flat.length; i += 2) {
    const name = flat[i] ?? '';
    if (name.length !== lowerCaseName.length || name.toLowerCase() !== lowerCaseName) continue;
    const value = flat[i + 1] ?? '';
    joined = joined === undefined ? value : `${joined}, ${value}`;
  }
  return joined;
}
