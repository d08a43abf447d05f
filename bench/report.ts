/**
 * What is not compared with other proxies: the rows of the second table, for the terminal and for RESULTS.md.
 */
import { markdownTable } from './markdown-table.js';

export interface Row {
  readonly what: string;
  /** With its unit. */
  readonly ours: string;
  /** What it is compared with, with its unit. */
  readonly base?: string;
  readonly ratio?: number;
  /** `value` is `ratio`, or what `ours` says as a number. */
  readonly wanted?: { readonly text: string; readonly value: number; readonly atMost: number };
}

const HEADINGS = ['operation', 'this program', 'compared with', 'ratio', 'wanted', 'verdict'];

export function table(rows: readonly Row[]): string {
  return markdownTable([HEADINGS, ...rows.map(cellsOf)]);
}

function cellsOf({ what, ours, base = '', ratio, wanted }: Row): string[] {
  const verdict = wanted === undefined ? '' : wanted.value <= wanted.atMost ? 'met' : 'missed';
  return [what, ours, base, ratio?.toFixed(2) ?? '', wanted?.text ?? '', verdict];
}
