/**
 * The errors of this program. Each has a stable `code`; its message says what was being done, with what, and
 * what to do about it. They cross the bus as `{ code, message }`.
 */

/** Codes that a caller may test for. */
export type ErrorCode =
  /** A flag, or a file that a flag names, is wrong. Exit code 2. */
  | 'ERR_USAGE'
  /** The surroundings are not as needed: port in use, no permission. Exit code 1. */
  | 'ERR_ENVIRONMENT'
  /** A request over the bus was not answered within its deadline. */
  | 'ERR_BUS_DEADLINE'
  /** Too many requests are under way over the bus. */
  | 'ERR_BUS_BUSY'
  /** The other end of the bus is gone. */
  | 'ERR_BUS_CLOSED'
  /** The other end of the bus speaks another version, or not at all. */
  | 'ERR_BUS_PROTOCOL'
  /** Something that this program did not expect. */
  | 'ERR_INTERNAL';

export class ProxyError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ProxyError';
    this.code = code;
  }
}

/** A wrong flag, or a file named by one that cannot be used: one sentence, exit code 2. */
export function usageError(message: string, cause?: unknown): ProxyError {
  return new ProxyError('ERR_USAGE', message, cause === undefined ? undefined : { cause });
}

/** Surroundings that are not as needed: one sentence, exit code 1. */
export function environmentError(message: string, cause?: unknown): ProxyError {
  return new ProxyError('ERR_ENVIRONMENT', message, cause === undefined ? undefined : { cause });
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

/** What was thrown is no Error: its message if it looks like one, else whatever it is called. */
function describeOther(thrown: unknown): string {
  if (typeof thrown !== 'object' || thrown === null) return String(thrown);
  if ('message' in thrown && typeof thrown.message === 'string' && thrown.message !== '')
    return thrown.message;
  return codeOf(thrown) ?? 'something that is no error was thrown';
}

function codeOf(thrown: object): string | undefined {
  return 'code' in thrown && typeof thrown.code === 'string' && thrown.code !== '' ? thrown.code : undefined;
}
