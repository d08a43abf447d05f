/**
 * What a check has found: something that is wrong, something that may become so, or that all is well. PURE.
 *
 * No finding holds a private key, a password, or anything else of a file's content but what certificates say of themselves.
 */

/** `error`: it does not work as it is. `warning`: it works, and something should be done about it. */
export type Level = 'error' | 'warning' | 'ok';

export interface Finding {
  readonly level: Level;
  /** What was looked at: `ports`, `redis`. */
  readonly area: string;
  /** Which one: an address, a file; empty where there is one only. */
  readonly where: string;
  /** One clause. */
  readonly what: string;
  /** What to do about it. */
  readonly remedy?: string;
}

export function finding(level: Level, area: string, where: string, what: string, remedy?: string): Finding {
  return { level, area, where, what, ...(remedy !== undefined && { remedy }) };
}

/** How many there are of a level. */
export function countOf(findings: readonly Finding[], level: Level): number {
  return findings.filter((each) => each.level === level).length;
}
