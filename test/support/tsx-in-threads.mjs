/**
 * Lets threads of the tests run TypeScript, as the main thread does. On Node 20 `--import=tsx` does nothing in a thread.
 */
import { isMainThread } from 'node:worker_threads';
import { register } from 'tsx/esm/api';

if (!isMainThread) register();
