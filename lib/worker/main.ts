/**
 * The program of a worker process: what the primary forks.
 */
import { runWorker } from './worker.js';

runWorker();
