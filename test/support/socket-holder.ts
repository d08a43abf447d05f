/**
 * A service manager that holds listening sockets, as systemd does for a socket unit: it passes them to the program, and starts it
 * again when it ends.
 */
import { findProgram } from './find-program.js';

const SCRIPT = `
import fcntl, os, signal, socket, sys
names = sys.argv[1].split(':')
held = []
for name in names:
    listening = socket.socket()
    listening.bind(('127.0.0.1', 0))
    listening.listen()
    # Above those that the program gets.
    held.append(fcntl.fcntl(listening.fileno(), fcntl.F_DUPFD, 50))
child = 0
ending = False
def end(number, frame):
    global ending
    ending = True
    os.kill(child, number)
for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, end)
while not ending:
    child = os.fork()
    if child == 0:
        for index, fd in enumerate(held):
            os.dup2(fd, 3 + index)
        os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(names)), LISTEN_FDNAMES=sys.argv[1])
        os.execv(sys.argv[2], sys.argv[2:])
    # One that fails would fail again.
    ending = os.waitpid(child, 0)[1] != 0 or ending
`;

/** What starts the program with sockets of these names, from descriptor 3 on. */
export function socketHolder(names: readonly string[]): string[] {
  return [findProgram('python3', 'python3'), '-c', SCRIPT, names.join(':')];
}
