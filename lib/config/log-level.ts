/**
 * Log levels by the names that other programs have for them. PURE.
 */
import { LOG_LEVELS, type LogLevel } from '../log/logger.js';
import { Problem } from './problem.js';

/**
 * Syslog's, nginx's, pino's and Redis's. A warning is what somebody wants to know of a program that goes on: here that is said at
 * notice, and whoever asks for warnings must not miss it.
 */
const ELSEWHERE: Readonly<Record<string, LogLevel>> = {
  emerg: 'err',
  alert: 'err',
  crit: 'err',
  critical: 'err',
  fatal: 'err',
  error: 'err',
  warn: 'notice',
  warning: 'notice',
  verbose: 'debug',
  trace: 'debug',
};

export function parseLogLevel(text: string): LogLevel | Problem {
  const name = text.toLowerCase();
  const level =
    LOG_LEVELS.find((own) => own === name) ?? (Object.hasOwn(ELSEWHERE, name) ? ELSEWHERE[name] : undefined);
  return level ?? new Problem(`must be one of ${LOG_LEVELS.join(', ')}`);
}
