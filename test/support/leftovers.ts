/**
 * What a test run leaves behind when a hook throws half-way, and ends with all the same: listening servers and child
 * processes of suites whose `before` failed and whose `after` had nothing in hand to close.
 *
 * A root hook of mocha (`.mocharc.json` requires this file). It ends whatever is left after the last suite, and fails the run
 * with a sentence that names it. Whatever still keeps the process after that is named as well, and the process ended.
 */
import { ChildProcess } from 'node:child_process';
import { Server, Socket } from 'node:net';

/** Time for what was closed to be gone. */
const GRACE_MS = 5_000;

/** Undocumented in Node's types: sockets, servers and child processes that keep the event loop alive. */
interface ActiveHandles {
  _getActiveHandles(): readonly unknown[];
}

export const mochaHooks = {
  afterAll(): void {
    // In parallel a process of mocha's own runs one file after the other: it is there until mocha ends it.
    if (process.env['MOCHA_WORKER_ID'] === undefined) endSomeTime();
    const left = (process as unknown as ActiveHandles)._getActiveHandles().flatMap(end);
    if (left.length > 0) throw new Error(`the tests have left behind: ${left.join('; ')}`);
  },
};

/** Ends a server or a child process. @returns what it was; nothing for what needs no word. */
function end(handle: unknown): string[] {
  if (handle instanceof ChildProcess) {
    // One that has just ended is listed until the event loop has turned.
    if (handle.exitCode !== null || handle.signalCode !== null) return [];
    handle.kill('SIGKILL');
    return [`process ${handle.pid ?? '?'} (${handle.spawnargs.join(' ')})`];
  }
  // So is one that has just been closed.
  if (handle instanceof Server && handle.listening) {
    const address = handle.address();
    handle.close();
    return [`a server on ${typeof address === 'string' ? address : `port ${address?.port ?? '?'}`}`];
  }
  // Connections of those, and idle ones that clients keep. The standard streams are sockets too where they are pipes.
  if (
    handle instanceof Socket &&
    ![process.stdin, process.stdout, process.stderr].includes(handle as never)
  ) {
    handle.destroy();
  }
  return [];
}

/** The timer keeps nothing itself: it fires only where something else does. */
function endSomeTime(): void {
  setTimeout(() => {
    console.error(
      `The tests are over, but the process is kept by: ${process.getActiveResourcesInfo().join(', ')}`,
    );
    process.exit(1);
  }, GRACE_MS).unref();
}
