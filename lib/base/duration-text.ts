/** A duration as people say it, in its largest unit or two: `850 ms`, `12 s`, `9 min 30 s`, `3 h`, `41 d`. PURE. */
export function durationText(ms: number): string {
  if (!Number.isFinite(ms)) return 'for ever';
  if (Math.round(ms) < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 60) return ms < 10_000 ? `${(ms / 1_000).toFixed(1).replace('.0', '')} s` : `${seconds} s`;
  if (seconds < 600) return twoUnits(seconds, 60, 'min', 's');
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  if (minutes < 600) return twoUnits(minutes, 60, 'h', 'min');
  const hours = Math.round(seconds / 3_600);
  return hours < 72 ? `${hours} h` : `${Math.round(hours / 24)} d`;
}

function twoUnits(count: number, size: number, unit: string, smaller: string): string {
  const rest = count % size;
  return `${Math.floor(count / size)} ${unit}${rest === 0 ? '' : ` ${rest} ${smaller}`}`;
}
