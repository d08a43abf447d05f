/**
 * A service manager's socket: takes datagrams, as Node cannot, and tells what was in them.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { eventuallySees } from './eventually.js';
import { findProgram } from './find-program.js';

/** What comes with a message (a descriptor to be closed, for the barrier of sd_notify) is dropped by `recv`, which closes it. */
const SCRIPT = `
import json, socket, sys
receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.bind(sys.argv[1])
print(json.dumps('bound'), flush=True)
while True:
    print(json.dumps(receiver.recv(4096).decode()), flush=True)
`;

/** The fields of a message. */
export type Notification = Readonly<Record<string, string>>;

export class NotifyReceiver implements Disposable {
  readonly path: string;
  readonly #child: ChildProcess;
  readonly #received: Notification[] = [];

  private constructor(child: ChildProcess, path: string) {
    this.#child = child;
    this.path = path;
  }

  /** Listens on a socket in a directory. */
  static async start(dir: string): Promise<NotifyReceiver> {
    // What is under test needs it too; a test that lacks it is to say so.
    findProgram('systemd-notify', 'systemd');
    const path = join(dir, 'notify');
    const child = spawn(findProgram('python3', 'python3'), ['-c', SCRIPT, path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const receiver = new NotifyReceiver(child, path);
    const lines = createInterface(child.stdout);
    await once(lines, 'line');
    lines.on('line', (line) => {
      const fields = (JSON.parse(line) as string).trim().split('\n');
      const entries = fields.map((field) => {
        const at = field.indexOf('=');
        return [field.slice(0, at), field.slice(at + 1)] as const;
      });
      // What `systemd-notify` adds by itself.
      if (entries[0]?.[0] !== 'BARRIER') receiver.#received.push(Object.fromEntries(entries));
    });
    return receiver;
  }

  /** All messages so far. */
  get received(): readonly Notification[] {
    return this.#received;
  }

  /** The messages that are no sign of life. */
  get states(): Notification[] {
    return this.#received.filter((message) => message['WATCHDOG'] === undefined);
  }

  get signsOfLife(): number {
    return this.#received.length - this.states.length;
  }

  /** Waits until so many messages beside the signs of life have come. */
  untilStates(count: number): Promise<Notification[]> {
    return eventuallySees(
      `${count} messages have come`,
      () => this.states,
      ({ length }) => length >= count,
    );
  }

  [Symbol.dispose](): void {
    this.#child.kill('SIGKILL');
  }
}
