/**
 * All trials of HTTP/2's frames: each is one thing, right or wrong, sent on its own. And the sequences that are made of them.
 */
import { CONNECTION_TRIALS } from './h2-connection-trials.js';
import { shuffled } from './h2-field-cases.js';
import { SequenceMaker, type Sequence } from './h2-sequences.js';
import { STREAM_TRIALS } from './h2-stream-trials.js';
import type { Trial } from './h2-trial-kinds.js';
import { count } from './http1-messages.js';
import type { SeededRandom } from './truth-random.js';

export const TRIALS: readonly Trial[] = [...STREAM_TRIALS, ...CONNECTION_TRIALS].map(([label, make]) => ({
  label,
  make,
}));

/** A long one. Both engines are asked until a trial ends the connection. */
export function madeSequence(random: SeededRandom, name: string, trials: number): Sequence {
  const maker = new SequenceMaker(random, name);
  for (const trial of shuffled(random, TRIALS).slice(0, trials)) {
    maker.traffic(4 + count(random, 8));
    maker.end('traffic');
    if (random.next() < 0.3) maker.request({ isPlain: true });
    trial.make(maker, trial.label);
    maker.end(trial.label);
  }
  return maker.finish();
}

/** One trial, between requests that have nothing to do with it. */
export function trialSequence(random: SeededRandom, name: string, trial: Trial): Sequence {
  const maker = new SequenceMaker(random, name);
  maker.request({ isPlain: true });
  maker.end('traffic');
  trial.make(maker, trial.label);
  maker.end(trial.label);
  maker.request({ isPlain: true });
  maker.end('traffic');
  return maker.finish();
}

/** Requests whose heads have each of some things about them, and a request behind each that refers to the same table. */
export function headSequence(random: SeededRandom, name: string, labels: readonly string[]): Sequence {
  const maker = new SequenceMaker(random, name);
  for (const label of labels) {
    maker.request({ label });
    maker.request({ isPlain: true });
    maker.end('traffic');
  }
  return maker.finish();
}
