/** `stop`: as SIGTERM, but it waits until the program has ended. */
import { setTimeout as delay } from 'node:timers/promises';
import { environmentError } from '../../domain/errors.js';
import { JSON_OPTION, print, type ClientCommand } from '../command.js';

const LOOK_EVERY_MS = 50;
/** Added to the time that connections may take to end. */
const GRACE_MS = 10_000;

export const STOP: ClientCommand = {
  name: 'stop',
  operands: '',
  says: 'finish what is under way, and end the program; returns when it has ended',
  options: JSON_OPTION,
  async run(context) {
    const answer = await context.ask('stop', {});
    const { pid, drainTimeoutMs } = answer;
    const untilMs = performance.now() + drainTimeoutMs + GRACE_MS;
    while (context.io.isRunning(pid)) {
      if (performance.now() > untilMs) throw environmentError(`process ${pid} has not ended in time`);
      await delay(LOOK_EVERY_MS);
    }
    print(context, answer, () => 'stopped\n');
    return 0;
  },
};
