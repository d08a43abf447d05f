/**
 * The log, as the rest of the program sees it: four levels, a message and plain fields.
 *
 * `err` failures; `notice` what an operator wants to know of a healthy program; `info` cache fills and handshakes that failed;
 * `debug` every handshake. A field never holds key material.
 */
export const LOG_LEVELS = ['err', 'notice', 'info', 'debug'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Logger {
  err(message: string, fields?: LogFields): void;
  notice(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  /** Whether a level is written: to be asked before work that only the log needs. */
  enabled(level: LogLevel): boolean;
}

/** The log as a look-up writes it: each line tells the handshake that has caused it. @param handshake undefined: none has. */
export function logOfHandshake(log: Logger, handshake: string | undefined): Logger {
  if (handshake === undefined) return log;
  const writer =
    (level: LogLevel) =>
    (message: string, fields?: LogFields): void =>
      log[level](message, { ...fields, handshake });
  return {
    err: writer('err'),
    notice: writer('notice'),
    info: writer('info'),
    debug: writer('debug'),
    enabled: (level) => log.enabled(level),
  };
}

/** Writes nothing: the default of a library. */
export const silentLogger: Logger = {
  err: () => undefined,
  notice: () => undefined,
  info: () => undefined,
  debug: () => undefined,
  enabled: () => false,
};
