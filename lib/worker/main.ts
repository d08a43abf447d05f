/**
 * The program of a worker process: what the primary forks.
 *
 * Signals are the primary's matter. A terminal sends them to the whole process group, so they are ignored here from the first
 * statement on, which a static import would not let them be.
 */
for (const signal of ['SIGINT', 'SIGHUP', 'SIGTERM', 'SIGQUIT', 'SIGUSR1'] as const) {
  process.on(signal, () => undefined);
}

const { runWorker } = await import('./worker.js');
runWorker();
