/** What a cause is: a look at the facts, and the sentence where it is the one. */
import { shellWord } from '../base/shell-word.js';
import type { CauseCode, Diagnosis } from './report.js';
import type { View } from './view.js';

/** What a cause comes to; its code and whether the name is served are added by whoever tries it. */
export type Finding = Pick<Diagnosis, 'sentence' | 'remedy'>;

/** What is to be done, and the command that does it. */
export type Mending = readonly [says: string, command?: string];

/** @returns undefined where it is not the cause. */
export type Cause = readonly [code: CauseCode, look: (view: View) => Finding | undefined];

/** A finding that nothing needs to mend. */
export function finding(sentence: string): Finding {
  return { sentence };
}

export function mended(sentence: string, says: string, command?: string): Finding {
  return { sentence, remedy: { says, ...(command !== undefined && { command }) } };
}

const PROGRAM = 'peter-sslers-proxy';

/** The command that makes everybody look a name up afresh, with the wildcard that it is served from. */
export function expireCommand({ name, subject }: View): string {
  return `${PROGRAM} expire domain ${[...new Set([name, subject])].map(shellWord).join(' ')} --workers`;
}

export const RELOAD_COMMAND = `${PROGRAM} reload`;

/** What our own settings of a source may be to blame for: its password, its prefix, its address. */
const OWN_SETTINGS = /password|credentials|prefix|another server|redirects/;

/** How a source that is down is mended, for `mended`. @param besides what else there is to say of it, a clause. */
export function mendSource({ name, reason, skipped }: View['sources'][number], besides = ''): Mending {
  return OWN_SETTINGS.test(reason ?? skipped?.reason ?? '')
    ? [`Mend the settings of ${name}${besides}; then:`, RELOAD_COMMAND]
    : [`Mend ${name}${besides}; it is tried again by itself within 5 s.`];
}

/** `1 of 2 workers`. */
export function workersText(some: readonly unknown[], { facts }: View): string {
  return `${some.length} of ${facts.workers.length} workers`;
}

/** The verb for so many workers. */
export function verbFor(some: readonly unknown[], ofOne: string, ofMore: string): string {
  return some.length === 1 ? ofOne : ofMore;
}
