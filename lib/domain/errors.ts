/**
 * The errors of this program. Each has a stable `code`, and says by it where it came from; its message says what was being
 * done, with what, and what to do about it. They cross the bus as `{ code, message }`.
 *
 * There are two classes: this one, and `UpstreamError` (`proxy/upstream/upstream.ts`), which is one that knows what has been sent.
 */

/** Codes that a caller may test for. */
export type ErrorCode =
  /** A flag, or a file that a flag names, is wrong. Exit code 2. */
  | 'ERR_USAGE'
  /** The machine does not allow what is needed: port in use, no permission. Exit code 1. */
  | 'ERR_ENVIRONMENT'
  /** A request over the bus was not answered within its deadline. */
  | 'ERR_BUS_DEADLINE'
  /** Too many requests are under way over the bus. */
  | 'ERR_BUS_BUSY'
  /** The other end of the bus is gone. */
  | 'ERR_BUS_CLOSED'
  /** The other end of the bus speaks another version, or not at all. */
  | 'ERR_BUS_PROTOCOL'
  /** A client's request cannot be put on the wire. */
  | 'ERR_REQUEST_INVALID'
  /** A client has gone, or was given up. */
  | 'ERR_REQUEST_ABORTED'
  /** No connection to a backend: refused, unreachable, TLS not trusted. */
  | 'ERR_BACKEND_CONNECT'
  /** A backend has not answered within a time-out. */
  | 'ERR_BACKEND_TIMEOUT'
  /** A backend has closed or reset a connection or a stream. */
  | 'ERR_BACKEND_BROKEN'
  /** What a backend sent is no valid response. */
  | 'ERR_BACKEND_MALFORMED'
  /** A source of certificates has not answered a look-up, or was not waited for; the message is the whole reason. */
  | 'ERR_SOURCE'
  /** Something that this program did not expect. */
  | 'ERR_INTERNAL';

/** Where an error came from. `settings`: the flags, the files that they name, and the machine that they are for. */
export type ErrorOrigin = 'client' | 'backend' | 'source' | 'settings' | 'internal';

const ORIGIN_OF: Readonly<Record<ErrorCode, ErrorOrigin>> = {
  ERR_USAGE: 'settings',
  ERR_ENVIRONMENT: 'settings',
  ERR_BUS_DEADLINE: 'internal',
  ERR_BUS_BUSY: 'internal',
  ERR_BUS_CLOSED: 'internal',
  ERR_BUS_PROTOCOL: 'internal',
  ERR_REQUEST_INVALID: 'client',
  ERR_REQUEST_ABORTED: 'client',
  ERR_BACKEND_CONNECT: 'backend',
  ERR_BACKEND_TIMEOUT: 'backend',
  ERR_BACKEND_BROKEN: 'backend',
  ERR_BACKEND_MALFORMED: 'backend',
  ERR_SOURCE: 'source',
  ERR_INTERNAL: 'internal',
};

export class ProxyError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ProxyError';
    this.code = code;
  }

  get origin(): ErrorOrigin {
    return originOf(this.code);
  }
}

export function originOf(code: ErrorCode): ErrorOrigin {
  return ORIGIN_OF[code];
}

/** A wrong flag, or a file named by one that cannot be used: one sentence, exit code 2. */
export function usageError(message: string, cause?: unknown): ProxyError {
  return new ProxyError('ERR_USAGE', message, cause === undefined ? undefined : { cause });
}

/** The machine does not allow what is needed (a port in use, no permission): one sentence, exit code 1. */
export function environmentError(message: string, cause?: unknown): ProxyError {
  return new ProxyError('ERR_ENVIRONMENT', message, cause === undefined ? undefined : { cause });
}

/** What a file meets that may be over at the next try with the same settings. */
const PASSING: ReadonlySet<string | undefined> = new Set([
  ...['ENOSPC', 'EDQUOT', 'EROFS', 'EIO', 'ESTALE', 'ETIMEDOUT', 'EHOSTDOWN', 'EHOSTUNREACH', 'ENOTCONN'],
  ...['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN', 'EINTR'],
]);

/** A file that the settings name cannot be used: the machine's fault where that may pass (a full disk), else theirs. */
export function fileError(message: string, cause: unknown): ProxyError {
  return (PASSING.has(codeOf(cause)) ? environmentError : usageError)(message, cause);
}

/** Whatever was thrown, as text for a log line: the message, never a stack. */
export function describeError(thrown: unknown): string {
  if (!(thrown instanceof Error)) return describeOther(thrown);
  // An AggregateError of happy eyeballs has an empty message; its first member has the reason.
  if (thrown.message === '' && thrown instanceof AggregateError && thrown.errors.length > 0) {
    return describeError(thrown.errors[0]);
  }
  if (thrown.message !== '') return thrown.message;
  return codeOf(thrown) ?? thrown.name;
}

/** The text of a thrown value that is not an Error: its message or its code, where it has one. */
function describeOther(thrown: unknown): string {
  if (typeof thrown !== 'object' || thrown === null) return String(thrown);
  if ('message' in thrown && typeof thrown.message === 'string' && thrown.message !== '')
    return thrown.message;
  return codeOf(thrown) ?? 'something that is no error was thrown';
}

/** The code of an error of the system, or of ours. */
export function codeOf(thrown: unknown): string | undefined {
  if (typeof thrown !== 'object' || thrown === null || !('code' in thrown)) return undefined;
  return typeof thrown.code === 'string' && thrown.code !== '' ? thrown.code : undefined;
}
