/**
 * Certificates by when they end: where on a line of time each one is. PURE.
 */
import { durationText } from '../base/duration-text.js';
import type { StatusReport } from '../domain/status-report.js';
import type { Numbers } from './frame.js';
import { dateText } from './text.js';
import { tierWord, type Level } from './words.js';

export interface ExpiryMark {
  readonly key: string;
  /** Absent: one that the numbers know, which have no names. */
  readonly name?: string;
  readonly says: string;
  /** 0 to 1 along the line. */
  readonly place: number;
  readonly level: Level;
}

export interface ExpiryTick {
  readonly place: number;
  readonly label: string;
}

const DAY_MS = 86_400_000;
const FIRST_DAY = -7;
const LAST_DAY = 90;

/** Close to now a day is wider than far from it. */
function placeOf(days: number): number {
  const bent = (day: number): number => Math.sign(day) * Math.sqrt(Math.abs(day));
  const place = (bent(days) - bent(FIRST_DAY)) / (bent(LAST_DAY) - bent(FIRST_DAY));
  return Math.min(1, Math.max(0, place));
}

export const EXPIRY_TICKS: readonly ExpiryTick[] = [
  { place: placeOf(0), label: 'now' },
  { place: placeOf(3), label: '3 d' },
  { place: placeOf(14), label: '14 d' },
  { place: placeOf(30), label: '30 d' },
  { place: placeOf(60), label: '60 d' },
  { place: placeOf(90), label: '90 d' },
];

export function expiryMarks({ certificates, atMs }: StatusReport, numbers: Numbers): ExpiryMark[] {
  const named = [...certificates.outdated, ...certificates.expiring].map(
    ({ name, tier, notAfterMs, notBeforeMs }, place) => {
      const days = (notAfterMs - atMs) / DAY_MS;
      return {
        ...{ key: `${place} ${name}`, name, place: placeOf(days) },
        says: `${notBeforeMs === undefined ? endText(notAfterMs, atMs) : beginText(notBeforeMs, atMs)}, from ${tierWord(tier)}`,
        level:
          days < 0 || notBeforeMs !== undefined
            ? ('bad' as const)
            : days < 3
              ? ('warn' as const)
              : ('good' as const),
      };
    },
  );
  const last = certificates.expiring.at(-1)?.notAfterMs ?? atMs;
  // The ten that end soonest: those with names are among them.
  const later = numbers
    .valuesOf('peter_sslers_certificate_not_after_seconds', 'rank')
    .map((rank) => numbers.value('peter_sslers_certificate_not_after_seconds', { rank }) * 1_000)
    .filter((ms) => ms > last + 1_000 && certificates.expiring.length === certificates.expiringCount)
    .map((ms, place) => ({
      ...{ key: `later ${place}`, place: placeOf((ms - atMs) / DAY_MS), level: 'good' as const },
      says: endText(ms, atMs),
    }));
  return [...named, ...later];
}

function endText(notAfterMs: number, atMs: number): string {
  const leftMs = notAfterMs - atMs;
  const when = leftMs < 0 ? `ended ${durationText(-leftMs)} ago` : `ends in ${durationText(leftMs)}`;
  return `${when} (${dateText(notAfterMs)})`;
}

/** Of one that is outside of its dates, though it ends later. */
function beginText(notBeforeMs: number, atMs: number): string {
  return `not valid for ${durationText(notBeforeMs - atMs)} more (before ${dateText(notBeforeMs)})`;
}
