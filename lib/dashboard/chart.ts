/**
 * A chart of stacked rates over the last minutes, with its numbers beside it.
 */
import UPlot from 'uplot';
import { el, setAttributes, setText } from './dom.js';
import { History } from './history.js';
import { countText, rateText } from './text.js';
import { colour } from './theme.js';

export interface Part {
  readonly label: string;
  /** The name of its colour in the style sheet. */
  readonly colour: string;
}

/** Higher where it is wide, as on a wall. */
const heightOf = (width: number): number => (width > 900 ? 260 : 180);

export class StackedChart {
  readonly #history = new History();
  readonly #parts: readonly Part[];
  readonly #place: HTMLElement;
  readonly #rows: readonly { readonly root: HTMLElement; readonly value: HTMLElement }[];
  readonly #total = el('strong');
  readonly #empty = el('p', { class: 'quiet empty' }, 'Nothing yet.');
  #plot: UPlot | undefined;
  /** The parts that it is made for. */
  #drawn: readonly number[] = [];
  #isSeen = true;

  /** @param parts the lowest first. */
  constructor(parent: HTMLElement, label: string, parts: readonly Part[]) {
    this.#parts = parts;
    this.#place = el('div', { class: 'plot', role: 'img', 'aria-label': label });
    this.#rows = parts.map((part, place) => {
      const value = el('span', { class: 'number' });
      const swatch = el('span', { class: 'swatch', 'data-colour': part.colour, 'aria-hidden': 'true' });
      const button = el(
        'button',
        { type: 'button', class: 'part', 'aria-pressed': 'true' },
        swatch,
        part.label,
        value,
      );
      button.addEventListener('click', () => this.#toggle(place, button));
      return { root: el('li', { hidden: true }, button), value };
    });
    const legend = el('ul', { class: 'legend' }, ...this.#rows.map(({ root }) => root).reverse());
    parent.append(el('p', { class: 'total' }, this.#total, ' in all'), this.#place, this.#empty, legend);
    new ResizeObserver(() => this.#resize()).observe(this.#place);
    new IntersectionObserver((entries) => {
      this.#isSeen = entries.at(-1)?.isIntersecting ?? true;
      this.#draw();
    }).observe(parent);
    this.#legend();
  }

  add(atMs: number, values: readonly number[]): void {
    this.#history.add(atMs, values);
    const used = this.#history.used(this.#parts.length);
    this.#rows.forEach(({ root }, part) => setAttributes(root, { hidden: used[part] !== true }));
    this.#empty.hidden = used.includes(true);
    this.#legend();
    this.#draw();
  }

  clear(): void {
    this.#history.clear();
  }

  /** Leaves a part out of the picture, so that small ones beside a large one are seen, or takes it in again. */
  #toggle(part: number, button: HTMLElement): void {
    const isShown = this.#history.toggle(part);
    setAttributes(button, { 'aria-pressed': String(isShown) });
    this.#draw();
  }

  /** Draws anew, as the colours are others. */
  recolour(): void {
    this.#plot?.destroy();
    this.#plot = undefined;
    const width = this.#place.clientWidth;
    this.#drawn = this.#history.shown(this.#parts.length);
    // A line has two ends.
    if (width === 0 || this.#history.length < 2) return;
    this.#plot = new UPlot(this.#options(width), this.#history.stacked(this.#drawn), this.#place);
  }

  #draw(): void {
    // What is out of sight costs nothing.
    if (!this.#isSeen) return;
    const isSame = this.#history.shown(this.#parts.length).join() === this.#drawn.join();
    if (this.#plot === undefined || !isSame) this.recolour();
    else this.#plot.setData(this.#history.stacked(this.#drawn));
  }

  #resize(): void {
    const width = this.#place.clientWidth;
    if (width > 0 && this.#plot !== undefined && this.#plot.width !== width)
      this.#plot.setSize({ width, height: heightOf(width) });
  }

  #legend(): void {
    const values = this.#history.at(this.#plot?.cursor.idx);
    this.#rows.forEach(({ value }, part) => setText(value, rateText(values[part] ?? 0)));
    setText(this.#total, rateText(values.reduce((sum, value) => sum + value, 0)));
  }

  #options(width: number): UPlot.Options {
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const axis = {
      stroke: colour('quiet'),
      font: `${Math.round(rem * 0.8)}px ${getComputedStyle(document.body).fontFamily}`,
      grid: { stroke: colour('line'), width: 1 },
      ticks: { show: false },
    };
    return {
      ...{ width, height: heightOf(width), padding: [10, 22, 0, 0] as [number, number, number, number] },
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
      scales: { y: { range: (_, __, max) => [0, Math.max(1, max * 1.08)] } },
      hooks: { setCursor: [() => this.#legend()] },
      series: [
        {},
        ...[...this.#drawn].reverse().map((part) => {
          const paint = colour(this.#parts[part]?.colour ?? 'ink');
          return { stroke: paint, fill: paint, width: 0.5, points: { show: false } };
        }),
      ],
      axes: [
        { ...axis, size: rem * 2, space: rem * 6, values: (_, times) => times.map(clockText) },
        {
          ...axis,
          size: rem * 3.2,
          space: rem * 2.4,
          values: (_, values) => values.map((value) => countText(value)),
        },
      ],
    };
  }
}

function clockText(seconds: number): string {
  return new Date(seconds * 1_000).toTimeString().slice(0, 8);
}
