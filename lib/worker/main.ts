/**
 * The program of a worker process: what the primary forks.
 *
 * Workers ignore signals: the primary acts on them, and a terminal sends them to the whole process group. The handlers are set by
 * the first statement; static imports would be loaded before it, hence the dynamic one.
 */
for (const signal of ['SIGINT', 'SIGHUP', 'SIGTERM', 'SIGQUIT', 'SIGUSR1'] as const) {
  process.on(signal, () => undefined);
}

const { runWorker } = await import('./worker.js');
runWorker();
