/**
 * How long the directory source waits for its file system: a network file system may not answer at all.
 */
import type { StartTimer } from '../../base/timer.js';
import { describeError } from '../../domain/errors.js';
import type { Lookup } from '../../domain/lookup.js';
import type { SourceCheck } from '../source.js';
import type { DirectoryFiles } from './files.js';
import { unavailable } from './hand-over.js';
import { unreadableText } from './reports.js';

const CHECK_TIMEOUT_MS = 2_000;
/** For the files of one look-up. */
const LOOKUP_TIMEOUT_MS = 1_000;

export interface LookupEnds {
  readonly dir: string;
  /** Aborts when nobody wants the answer any more. */
  readonly signal: AbortSignal;
  /** Aborts when the source is closed. */
  readonly closing: AbortSignal;
  readonly startTimer: StartTimer;
}

/** The answer, or `unavailable` where it takes too long, nobody wants it any more, or the source is closed. */
export async function inTime(
  answer: Promise<Lookup | undefined>,
  { dir, signal, closing, startTimer }: LookupEnds,
): Promise<Lookup | undefined> {
  let cancel = (): void => undefined;
  let giveUp = (): void => undefined;
  const givenUp = new Promise<Lookup>((settled) => {
    giveUp = () => settled(unavailable(closing.aborted ? 'it is closed' : 'the look-up was given up'));
    cancel = startTimer(() => settled(unavailable(lateText(dir))), LOOKUP_TIMEOUT_MS);
  });
  for (const end of [signal, closing]) end.addEventListener('abort', giveUp, { once: true });
  try {
    return await Promise.race([answer, givenUp]);
  } finally {
    cancel();
    for (const end of [signal, closing]) end.removeEventListener('abort', giveUp);
  }
}

/** Whether a directory can be opened. Never rejects. */
export function canBeOpened(
  files: DirectoryFiles,
  dir: string,
  startTimer: StartTimer,
): Promise<SourceCheck> {
  return new Promise((settled) => {
    const cancel = startTimer(() => settled({ ok: false, reason: lateText(dir) }), CHECK_TIMEOUT_MS);
    const settle = (outcome: SourceCheck): void => {
      cancel();
      settled(outcome);
    };
    files.tryToOpen(dir).then(
      () => settle({ ok: true }),
      (error: unknown) => settle({ ok: false, reason: unreadableText(dir, describeError(error)) }),
    );
  });
}

function lateText(dir: string): string {
  return `the directory ${dir} does not answer`;
}
