/**
 * The program of the thread that checks passwords against slow hashes.
 *
 * An urgent job is done at once, in between the turns of an ordinary one: whoever has not failed yet waits 100 ms for a guess
 * under way, and not for its end. What throws here ends the thread; `hashing-thread.ts` starts another.
 */
import { parentPort } from 'node:worker_threads';
import type { HashJob, HashResult } from './hashing-thread.js';
import { readHash } from './password-hash.js';

const port = parentPort;
if (port === null) throw new Error('this program runs only in a worker thread');

const answer = (result: HashResult): void => port.postMessage(result);

port.on('message', ({ id, hash, password, isUrgent }: HashJob) => {
  const reading = readHash(hash);
  if ('problem' in reading) throw new Error(reading.problem);
  if (isUrgent) answer({ id, isRight: reading.check.now(password) });
  else void reading.check.inTurns(password).then((isRight) => answer({ id, isRight }));
});
