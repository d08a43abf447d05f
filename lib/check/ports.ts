/**
 * Whether every address can be listened on: each is bound for a moment, and no connection is taken. One that our own running program
 * has is fine.
 */
import { access, constants, lstat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { addressText, type Address, type PassedSocket } from '../domain/address.js';
import { describeError } from '../domain/errors.js';
import { connectFailure } from '../net/unix-socket.js';
import { bindSharedHandle } from '../net/shared-handle.js';
import type { Settings } from '../config/settings.js';
import { finding, type Finding } from './finding.js';
import { within } from '../base/within.js';

const AREA = 'ports';

/** The program that runs with the same control socket. */
export interface RunningProgram {
  readonly pid: number;
  /** `https://127.0.0.1:8443`, `unix:/path`. */
  readonly listeners: readonly string[];
}

export async function checkPorts(
  { listen, httpListen, admin }: Settings,
  running: RunningProgram | undefined,
): Promise<Finding[]> {
  const all = [
    ...listen.map((address) => ['--listen', 'https', address] as const),
    ...httpListen.map((address) => ['--http-listen', 'http', address] as const),
    ...admin.listen.map((address) => ['--admin-listen', 'http', address] as const),
  ];
  const found: Finding[] = [];
  // One after the other: a wildcard address must not be in the way of a single one here.
  for (const [flag, scheme, address] of all) {
    found.push(await checkAddress(flag, scheme, address, running));
  }
  return found;
}

async function checkAddress(
  flag: string,
  scheme: string,
  address: Address | PassedSocket,
  running: RunningProgram | undefined,
): Promise<Finding> {
  const where = `${flag} ${addressText(address)}`;
  if ('fd' in address) return finding('ok', AREA, where, 'it is passed by whoever starts the program');
  const text = addressText(address);
  if (running?.listeners.some((each) => each === text || each === `${scheme}://${text}`) === true) {
    return finding('ok', AREA, where, `the running program listens on it (process ${running.pid})`);
  }
  const problem =
    'socketPath' in address ? await unixProblem(address.socketPath) : bindProblem(address, flag);
  return problem === undefined
    ? finding('ok', AREA, where, 'it can be listened on')
    : finding('error', AREA, where, problem.what, problem.remedy);
}

interface Problem {
  readonly what: string;
  readonly remedy: string;
}

/** As the program binds it: without listening, so that no client is taken meanwhile. */
function bindProblem(address: Extract<Address, { port: number }>, flag: string): Problem | undefined {
  try {
    bindSharedHandle(address, flag).close();
    return undefined;
  } catch (thrown) {
    const what = describeError(thrown).replace(`${flag} ${addressText(address)}: `, '');
    return { what, remedy: remedyFor(what, address.port) };
  }
}

function remedyFor(what: string, port: number): string {
  if (what.includes('in use')) {
    return `see which one with: ss -ltnp 'sport = :${port}'; stop it, or choose another address`;
  }
  if (what.includes('permission')) {
    return 'check as the user that the program runs as, as root, or with a socket that is passed (the systemd unit has CAP_NET_BIND_SERVICE)';
  }
  return 'choose another address; those of this machine are listed by: ip address';
}

/** Nothing is bound there, for that would leave a file. */
async function unixProblem(path: string): Promise<Problem | undefined> {
  const folder = dirname(path);
  try {
    await access(folder, constants.W_OK | constants.X_OK);
  } catch {
    return {
      what: `there is no directory ${folder}, or no permission to make the socket in it`,
      remedy: `make it, for the user that the program runs as`,
    };
  }
  const status = await lstat(path).catch(() => undefined);
  if (status === undefined) return undefined;
  if (!status.isSocket()) {
    return {
      what: 'something that is no socket is in its place',
      remedy: `see what ${path} is, and remove it`,
    };
  }
  return (await isSocketInUse(path))
    ? { what: 'another program listens on it', remedy: `see which one with: ss -lxp src ${path}` }
    : undefined;
}

/** Whether a program has a unix socket: also one that we may not connect to, or that does not come to it. */
export async function isSocketInUse(path: string): Promise<boolean> {
  const failure = await within(connectFailure(path), () => undefined);
  return failure !== 'ECONNREFUSED' && failure !== 'ENOENT';
}
