/**
 * The picture of docs/tuning.md: lines are the formulas, dots what was measured. Its colours go with a light page and a dark one. PURE.
 */
import { lookUpsPerSecond, shareOfOld, worstStaleness } from './formulas.js';
import type { Measured } from './measure.js';

const [WIDTH, HEIGHT] = [860, 330];
const PANEL = { top: 46, bottom: 270, width: 330 };
const GREY = '#808890';
const LINE = '#3b82f6';
const DOT = '#e8710a';
/** Of the defaults, 600 s and 60 s. */
const DEFAULT_CERT_SECONDS = 600;

type Axis = (value: number) => number;

export function plotOf(measured: Measured): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" font-family="sans-serif" font-size="12" fill="${GREY}">`,
    '<title>How long old certificates are served after a change, and how often Redis is asked</title>',
    ...stalenessPanel(measured, 60),
    ...loadPanel(measured, 500),
    '</svg>',
    '',
  ].join('\n');
}

function stalenessPanel({ durations, staleness }: Measured, left: number): string[] {
  const worst = worstStaleness(durations);
  const x: Axis = (seconds) => left + (seconds / (worst + 0.4)) * PANEL.width;
  const y: Axis = (share) => PANEL.bottom - share * (PANEL.bottom - PANEL.top);
  const curve = Array.from({ length: 111 }, (_, i) => (i / 110) * worst).map(
    (t) => `${px(x(t))},${px(y(shareOfOld(t, durations)))}`,
  );
  const scale = DEFAULT_CERT_SECONDS / durations.cert;
  return [
    text(left, 22, 'handshakes that still get the old certificate'),
    ...[0, 0.5, 1].flatMap((share) => [
      grid(left, y(share), left + PANEL.width, y(share)),
      text(left - 8, y(share) + 4, `${share * 100} %`, 'end'),
    ]),
    ...[0, 1, 2, 3, 4].map((t) => text(x(t), PANEL.bottom + 18, String(t), 'middle')),
    grid(x(worst), PANEL.top, x(worst), PANEL.bottom),
    text(x(worst) - 6, PANEL.top + 14, `${worst} s`, 'end'),
    text(
      left,
      PANEL.bottom + 38,
      `seconds after the change, with durations of ${durations.cert} s and ${durations.lru} s`,
    ),
    text(left, PANEL.bottom + 54, `(with the defaults: ${scale} times as long)`),
    `<polyline fill="none" stroke="${LINE}" stroke-width="2" points="${curve.join(' ')}"/>`,
    ...staleness.map(({ afterSeconds, share }) => dot(x(afterSeconds), y(share))),
  ];
}

function loadPanel({ load }: Measured, left: number): string[] {
  const [from, to] = [Math.log10(1), Math.log10(1_000)];
  const x: Axis = (seconds) => left + ((Math.log10(seconds) - from) / (to - from)) * PANEL.width;
  const y: Axis = (looks) =>
    PANEL.bottom - ((Math.log10(looks) - from) / (to - from)) * (PANEL.bottom - PANEL.top);
  const bound = (cert: number): number => lookUpsPerSecond(1_000, { cert, lru: cert / 10 });
  return [
    text(left, 22, 'looks at Redis a second, for 1,000 busy names'),
    ...[1, 10, 100, 1_000].flatMap((looks) => [
      grid(left, y(looks), left + PANEL.width, y(looks)),
      text(left - 8, y(looks) + 4, String(looks), 'end'),
    ]),
    ...[1, 10, 60, 600].flatMap((seconds) => [
      grid(x(seconds), PANEL.top, x(seconds), PANEL.bottom),
      text(x(seconds), PANEL.bottom + 18, String(seconds), 'middle'),
    ]),
    text(left, PANEL.bottom + 38, 'cert_cache_duration, seconds'),
    text(left, PANEL.bottom + 54, 'lines: formulas; dots: measured'),
    `<line x1="${px(x(1))}" y1="${px(y(bound(1)))}" x2="${px(x(1_000))}" y2="${px(y(bound(1_000)))}" stroke="${LINE}" stroke-width="2"/>`,
    ...load.map(({ certSeconds, perName }) => dot(x(certSeconds), y(perName * 1_000))),
  ];
}

function text(x: number, y: number, words: string, anchor = 'start'): string {
  return `<text x="${px(x)}" y="${px(y)}" text-anchor="${anchor}">${words}</text>`;
}

function grid(x1: number, y1: number, x2: number, y2: number): string {
  return `<line x1="${px(x1)}" y1="${px(y1)}" x2="${px(x2)}" y2="${px(y2)}" stroke="${GREY}" stroke-opacity="0.35"/>`;
}

function dot(x: number, y: number): string {
  return `<circle cx="${px(x)}" cy="${px(y)}" r="3.5" fill="${DOT}"/>`;
}

function px(value: number): string {
  return String(Math.round(value * 10) / 10);
}
