/**
 * Numbers as people read them, short enough for a narrow place. PURE.
 */
import { durationText } from '../base/duration-text.js';

/** Stands where nothing is known. */
export const UNKNOWN = '–';

/** `0`, `0.02/s`, `4.1/s`, `184/s`, `12.4k/s`. */
export function rateText(perSecond: number): string {
  return perSecond === 0 ? '0/s' : `${countText(perSecond)}/s`;
}

/** Three digits or so. */
export function countText(count: number): string {
  if (!Number.isFinite(count)) return UNKNOWN;
  if (count >= 9_999_500) return `${threeDigits(count / 1e6)}M`;
  if (count >= 9_999.5) return `${threeDigits(count / 1e3)}k`;
  if (Number.isInteger(count) || count >= 99.95) return String(Math.round(count));
  if (count >= 1) return count.toFixed(1);
  return count >= 0.01 ? count.toFixed(2) : '<0.01';
}

/** How long something took: `<0.1 ms`, `1.2 ms`, `120 ms`, `1.5 s`. */
export function tookText(ms: number | undefined): string {
  if (ms === undefined) return UNKNOWN;
  if (ms < 0.1) return '<0.1 ms';
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  return durationText(ms);
}

export function percentText(share: number): string {
  if (!Number.isFinite(share)) return UNKNOWN;
  const percent = share * 100;
  if (percent > 0 && percent < 0.1) return '<0.1 %';
  // Only what is whole is said to be whole.
  if (percent > 99.9 && percent < 100) return '>99.9 %';
  return `${percent >= 10 && percent <= 99 ? Math.round(percent) : Number(percent.toFixed(1))} %`;
}

export function bytesText(bytes: number): string {
  if (!Number.isFinite(bytes)) return UNKNOWN;
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let size = bytes;
  let unit = 0;
  for (; size >= 1_000 && unit < units.length - 1; unit += 1) size /= 1_024;
  return `${unit === 0 ? size : threeDigits(size)} ${units[unit] ?? ''}`;
}

/** `1 worker`, `2 workers`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${countText(count)} ${count === 1 ? one : many}`;
}

/** `a, b and c`. */
export function listText(items: readonly string[]): string {
  return items.length < 2 ? (items[0] ?? '') : `${items.slice(0, -1).join(', ')} and ${items.at(-1) ?? ''}`;
}

/** `2026-11-26 17:40`, in the time zone of who reads it. */
export function dateText(ms: number): string {
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) return UNKNOWN;
  const two = (part: number): string => String(part).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

function threeDigits(value: number): string {
  return value >= 99.95 ? String(Math.round(value)) : value.toFixed(1);
}
