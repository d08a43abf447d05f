/**
 * The log as it is written: one line an event, on stderr or in a file, as text for people or as JSON.
 *
 * 1. One call writes one line, at once: nothing is lost when the process exits.
 * 2. No value can end a line or begin another: control characters, separators and direction marks are escaped.
 * 3. A message or field that holds a private key is replaced by `[redacted]`.
 * 4. A log that can no longer be written (a full disk) never stops the program.
 */
import { pino } from 'pino';
import { usageError } from './domain/errors.js';
import type { LogSettings } from './config/settings.js';
import { LOG_LEVELS, type LogFields, type Logger, type LogLevel } from './log.js';

/** Where lines go. Each ends in a newline. */
export interface LogStream {
  write(line: string): unknown;
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
  /** Opens the file again under its name: after it was rotated. Throws ERR_USAGE and goes on with the old one. */
  reopen(): void;
  setLevel(level: LogLevel): void;
  /** Takes other settings over: level, format and file. Throws ERR_USAGE, with nothing changed. */
  configure(settings: LogSettings): void;
  /** Writes out what a failed write left behind. Never throws. */
  flush(): void;
}

/** What waits for a full disk or a closed pipe, at most; then lines are dropped. */
const MAX_PENDING_BYTES = 1024 * 1024;
const STDERR = 2;

/**
 * Opens the log.
 *
 * @throws ProxyError ERR_USAGE: the file cannot be opened for writing.
 */
export function createLogger(options: LoggerOptions): ReopenableLogger {
  const { role, workerId, pid = process.pid, now = Date.now } = options;
  const open = (file: string | undefined): Sink => (options.stream ? wrap(options.stream) : openSink(file));
  let settings = options.settings;
  let sink = open(settings.file);

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
    { write: (line: string) => sink.write(`${escapeControls(line.trimEnd())}\n`) },
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
      sink.write(`${time} ${level} ${who} ${escapeControls(redact(message))}${pairs}\n`);
    }
  };
  const swap = (file: string | undefined): void => {
    const next = open(file);
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
    flush: () => sink.flush(),
  };
}

type Field = [key: string, value: string | number | boolean];

interface Sink extends LogStream {
  flush(): void;
  close(): void;
}

function wrap(stream: LogStream): Sink {
  return { write: (line) => stream.write(line), flush: () => undefined, close: () => undefined };
}

function openSink(file: string | undefined): Sink {
  let destination: ReturnType<typeof pino.destination>;
  try {
    // Others may read along with the group only: the log has the names of the hosts that are asked for.
    destination = pino.destination({
      dest: file ?? STDERR,
      sync: true,
      append: true,
      mode: 0o640,
      maxLength: MAX_PENDING_BYTES,
    });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    throw usageError(`--log-file names ${String(file)}, which cannot be written: ${code}`, error);
  }
  // Without a listener the first failed write would end the process. What failed is tried again with the next line.
  destination.on('error', () => undefined);
  const flush = (): void => {
    try {
      destination.flushSync();
    } catch {
      // Still not writable, and there is nobody to tell.
    }
  };
  return {
    write: (line) => destination.write(line),
    flush,
    close: () => {
      flush();
      // Stderr is not ours to close.
      if (file !== undefined) destination.destroy();
    },
  };
}

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
