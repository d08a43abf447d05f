/**
 * Durations and sizes as people write them: `90`, `500ms`, `1h30m`; `65536`, `64K`, `64 MiB`. PURE.
 *
 * Units are told apart by their letters alone. A duration's are small: nobody should have to know whether `10M` is minutes or months.
 * A size's may be of either case, and all are steps of 1024, as in nginx, HAProxy, systemd and PostgreSQL: whoever writes `256MB`
 * for memory means what the machine calls so.
 */
import { showBytes, type FlagDefinition } from './flag.js';
import { Problem } from './problem.js';

/** An amount without sign or exponent: `5`, `0.5`, `.5`. */
export const DECIMAL = /^(?:\d+(?:\.\d*)?|\.\d+)$/;

/** The largest first: that is their order in a duration of several parts. */
const MS_PER = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const;
const BYTES_PER: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/** Seconds of a duration: a number of them, or parts with units, each unit once and the larger ones first. NaN for anything else. */
export function secondsOf(text: string): number {
  if (DECIMAL.test(text)) return Number(text);
  const units = Object.keys(MS_PER) as (keyof typeof MS_PER)[];
  let rest = text;
  let ms = 0;
  for (const unit of units) {
    // `m` is not the beginning of `ms`.
    const [part, amount] = new RegExp(`^(\\d+(?:\\.\\d+)?|\\.\\d+) ?${unit}(?![a-z]) ?`).exec(rest) ?? [
      '',
      '0',
    ];
    ms += Number(amount) * MS_PER[unit];
    rest = rest.slice(part.length);
  }
  return text === '' || rest !== '' ? NaN : ms / 1000;
}

/** Bytes of a size: a number of them, or one with K, M or G, which `B` or `iB` may follow. NaN for anything else. */
export function bytesOf(text: string): number {
  const [, amount, unit = ''] = /^(\d+(?:\.\d+)?)\s*(?:([kmg])(?:i?b)?|b)?$/i.exec(text) ?? [];
  return amount === undefined ? NaN : Math.round(Number(amount) * (BYTES_PER[unit.toLowerCase()] ?? NaN));
}

/** The value of a flag whose kind is `seconds`, in seconds. */
export function parseSeconds(text: string, { min = 0, max = Infinity }: FlagDefinition): number | Problem {
  const seconds = secondsOf(text);
  if (seconds === 0 && min > 0) {
    return new Problem('must be above 0: the 0 that once meant "for ever" is not accepted');
  }
  return seconds >= min && seconds <= max
    ? seconds
    : new Problem(
        `must be a duration from ${min} to ${max} seconds, such as 90 (seconds), 500ms, 10m, 1h30m or 2d`,
      );
}

/** The value of a flag whose kind is `bytes`. */
export function parseBytes(text: string, definition: FlagDefinition): number | Problem {
  const { min = 0, max = Number.MAX_SAFE_INTEGER, default: usual } = definition;
  const bytes = bytesOf(text);
  if (bytes >= min && bytes <= max) return bytes;
  const range =
    max === Number.MAX_SAFE_INTEGER
      ? `of at least ${showBytes(min)}`
      : `from ${showBytes(min)} to ${showBytes(max)}`;
  const shown = typeof usual === 'number' ? showBytes(usual) : '64 MiB';
  return new Problem(`must be a size ${range}, such as ${shown.replace(/ (.)iB/, '$1')} or ${shown}`);
}
