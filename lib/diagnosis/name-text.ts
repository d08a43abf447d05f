import type { WhyFacts } from './report.js';

/** The name that a report is of, with what was typed for it where that looks otherwise: another script, a URL. PURE. */
export function nameText({ asked, name }: Pick<WhyFacts, 'asked' | 'name'>): string {
  if (name === undefined) return asked;
  return name === asked ? name : `${name} (asked for as ${asked})`;
}
