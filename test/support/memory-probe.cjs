/**
 * Loaded into the program before anything of its own (`worker-memory.ts`): at SIGUSR2, which the program leaves alone, it
 * collects the garbage and says in the log what is left.
 */
const { writeSync } = require('node:fs');

const STDERR = 2;
/** What is only finalised by one collection goes with the next; handles close in between. */
const COLLECTIONS = 3;

process.on('SIGUSR2', async () => {
  for (let i = 0; i < COLLECTIONS; i++) {
    globalThis.gc();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { heapUsed, external } = process.memoryUsage();
  // `external` has the buffers, what V8 was told of OpenSSL, and the rest of native memory.
  const line = { level: 'debug', msg: 'memory', pid: process.pid, liveBytes: heapUsed + external };
  writeSync(STDERR, `${JSON.stringify(line)}\n`);
});
