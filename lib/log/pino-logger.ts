/**
 * The log as it is written: one line an event, on stderr or in a file, as text for people or as JSON.
 *
 * 1. One call writes one line, at once: nothing is lost when the process exits.
 * 2. No value can end a line or begin another: control characters, separators and direction marks are escaped.
 * 3. A message or field that holds a private key is replaced by `[redacted]`.
 * 4. A log that can no longer be written (a full disk) never stops the program.
 */
import { pino } from 'pino';
import { LOG_LEVELS, type LogFields, type Logger, type LogLevel } from './logger.js';
import { LineSink, type LogStream } from './line-sink.js';

export interface LogSettings {
  readonly level: LogLevel;
  readonly format: 'text' | 'json';
  /** Absent: stderr. */
  readonly file?: string;
}

export interface LoggerOptions {
  readonly settings: LogSettings;
  readonly role: 'primary' | 'worker';
  /** @default process.pid */
  readonly pid?: number;
  /** The number of the worker. */
  readonly workerId?: number;
  /** Instead of stderr or the file, which is then not opened. */
  readonly stream?: LogStream;
  /** Milliseconds since 1970. @default Date.now */
  readonly now?: () => number;
}

/** A logger that can be told of a reload and of a rotated file. */
export interface ReopenableLogger extends Logger {
  /** Opens the file again under its name: after it was rotated. Throws a ProxyError and goes on with the old one. */
  reopen(): void;
  setLevel(level: LogLevel): void;
  /** Takes other settings over: level, format and file. Throws a ProxyError, with nothing changed. */
  configure(settings: LogSettings): void;
  /** Writes what could not be written yet: before an exit. Never throws, and takes half a second at most. */
  flush(): void;
}

/**
 * Opens the log.
 *
 * @throws ProxyError as of `fileError`: the file cannot be opened for writing.
 */
export function createLogger(options: LoggerOptions): ReopenableLogger {
  const { role, workerId, pid = process.pid, now = Date.now } = options;
  let settings = options.settings;
  let sink = options.stream ? undefined : new LineSink(settings.file);
  const write = (line: string): void => void (options.stream ?? sink)?.write(line);

  const json = pino(
    {
      level: 'debug',
      customLevels: { err: 40, notice: 30, info: 20, debug: 10 },
      useOnlyCustomLevels: true,
      base: { role, ...(workerId !== undefined && { worker: workerId }), pid },
      formatters: { level: (label) => ({ level: label }) },
      timestamp: () => `,"time":"${new Date(now()).toISOString()}"`,
    },
    // JSON allows some characters that a terminal acts upon; inside its strings, an escape means the same.
    { write: (line: string) => write(`${escapeControls(line.trimEnd())}\n`) },
  );
  const who = `[${role}${workerId === undefined ? '' : ` ${workerId}`} ${pid}]`;

  const enabled = (level: LogLevel): boolean =>
    LOG_LEVELS.indexOf(level) <= LOG_LEVELS.indexOf(settings.level);
  const writer = (level: LogLevel) => (message: string, fields?: LogFields) => {
    if (!enabled(level)) return;
    const clean = Object.entries(fields ?? {}).flatMap(([key, value]): Field[] =>
      value === undefined ? [] : [[key, typeof value === 'string' ? redact(value) : value]],
    );
    if (settings.format === 'json') {
      json[level](Object.fromEntries(clean.map(([key, value]) => [jsonKey(key), value])), redact(message));
    } else {
      const pairs = clean.map(([key, value]) => ` ${escapeControls(key)}=${textValue(value)}`).join('');
      const time = new Date(now()).toISOString();
      write(`${time} ${level} ${who} ${escapeControls(redact(message))}${pairs}\n`);
    }
  };
  const swap = (file: string | undefined): void => {
    if (sink === undefined) return;
    const next = new LineSink(file);
    sink.close();
    sink = next;
  };

  return {
    err: writer('err'),
    notice: writer('notice'),
    info: writer('info'),
    debug: writer('debug'),
    enabled,
    reopen: () => swap(settings.file),
    setLevel: (level) => {
      settings = { ...settings, level };
    },
    configure: (next) => {
      if (next.file !== settings.file) swap(next.file);
      settings = next;
    },
    flush: () => sink?.flush(),
  };
}

type Field = [key: string, value: string | number | boolean];

/** The fields that are the line's own. */
const OWN_KEYS = new Set(['time', 'level', 'role', 'worker', 'pid', 'msg']);

function jsonKey(key: string): string {
  return OWN_KEYS.has(key) ? `field_${key}` : key;
}

function redact(text: string): string {
  const begin = text.indexOf('-----BEGIN');
  return begin >= 0 && text.includes('PRIVATE KEY', begin) ? '[redacted]' : text;
}

// Control and format characters (direction marks among them), line and paragraph separators, lone surrogates.
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;
const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function escapeControls(text: string): string {
  // The escapes are JSON's, so that they may stand in both formats. Format characters above U+FFFF are two units.
  return text.replace(
    UNSAFE,
    (character) =>
      SHORT[character] ??
      Array.from({ length: character.length }, (_, index) => unicodeEscape(character.charCodeAt(index))).join(
        '',
      ),
  );
}

function unicodeEscape(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, '0')}`;
}

// What needs no quotes: it has no space, no quote and no equals sign.
const PLAIN = /^[\w.:/@*+,;%?&()[\]~-]+$/;

function textValue(value: string | number | boolean): string {
  const text = String(value);
  return PLAIN.test(text) ? text : escapeControls(JSON.stringify(text));
}
