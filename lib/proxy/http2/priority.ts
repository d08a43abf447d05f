/**
 * What a client, or a backend, says of the priority of a response (RFC 9218 §4). PURE.
 */

/** Whose turn it is: the lower its urgency the earlier; of the same one, incremental responses share, others go one after another. */
export interface Priority {
  /** 0 to 7. */
  readonly urgency: number;
  readonly isIncremental: boolean;
}

/** How many urgencies there are. */
export const URGENCIES = 8;

/** Of a request of which nothing is said. It takes turns: who says nothing does not mean that others are to wait for its end. */
export const UNSAID_PRIORITY: Priority = { urgency: 3, isIncremental: true };
/** Of what is not said by who says something (§4.1, §4.2). */
const DEFAULT_PRIORITY: Priority = { urgency: 3, isIncremental: false };

/** Longer values say nothing that anybody knows of, and are not read: the time for that grows with the square of their length. */
export const MAX_PRIORITY_CHARACTERS = 256;

/** A member of a dictionary, its parameters not looked at (RFC 8941 §3.2). */
const MEMBER = /^([a-z*][a-z0-9_\-.*]*)(?:=(""|\(\)|[^\s;"()]+))?(?:[ ]*;.*)?$/;
/** A string, and a list within the dictionary: a comma in them separates nothing. */
const STRING = /"(?:[^"\\]|\\["\\])*"/g;
const INNER_LIST = /\([^()]*\)/g;
const URGENCY = /^[0-7]$/;

/** What a client says. @param value of a `Priority` field or a PRIORITY_UPDATE; one that cannot be read says nothing. */
export function readPriority(value: string): Priority {
  const said = parse(value);
  return said === undefined ? UNSAID_PRIORITY : { ...DEFAULT_PRIORITY, ...said };
}

/** What a client has said, and a backend has changed of it by the `Priority` of its response (RFC 9218 §8). */
export function changedPriority(priority: Priority, value: string): Priority {
  return { ...priority, ...parse(value) };
}

function parse(value: string): Partial<Priority> | undefined {
  if (value.length > MAX_PRIORITY_CHARACTERS) return undefined;
  let said: Partial<Priority> = {};
  if (value.trim() === '') return said;
  for (const member of value.replace(STRING, '""').replace(INNER_LIST, '()').split(',')) {
    const [whole, key, item] = MEMBER.exec(member.trim()) ?? [];
    if (whole === undefined) return undefined;
    if (key === 'u' && item !== undefined && URGENCY.test(item)) said = { ...said, urgency: Number(item) };
    if (key === 'i' && (item === undefined || item === '?1')) said = { ...said, isIncremental: true };
    if (key === 'i' && item === '?0') said = { ...said, isIncremental: false };
  }
  return said;
}
