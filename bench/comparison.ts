/**
 * The table that compares this program with other proxies.
 */
import { ratioOf, type Figure, type Result } from './measure.js';
import { markdownTable } from './markdown-table.js';
import type { Peer } from './peers/peer.js';
import { cost } from './rows.js';

/** One operation. */
export interface Comparison {
  readonly what: string;
  readonly own: Result;
  /** Titled by the peers' names; those that cannot do it are left out. */
  readonly peers: readonly Result[];
}

/** The table; below it where this program loses, and why figures are missing. */
export function comparisonText(
  comparisons: readonly Comparison[],
  peers: readonly Pick<Peer, 'name' | 'isFloor'>[],
): string {
  const peerNames = peers.map(({ name }) => name);
  const proxyNames = peers.filter(({ isFloor }) => isFloor !== true).map(({ name }) => name);
  const headings = ['operation', 'this program', ...peerNames];
  const rows = comparisons.map(({ what, own, peers }) => [
    what,
    isFigure(own) ? cost(own) : 'no figure',
    ...peerNames.map((name) => ratioCell(own, resultOf(peers, name))),
  ]);
  const notes = [...losses(comparisons, proxyNames), ...disqualifications(comparisons)];
  return [markdownTable([headings, ...rows]), ...notes.map((note) => `${note}\n`)].join('\n');
}

/** @returns whether every operation of everybody has a figure. */
export function isComplete(comparisons: readonly Comparison[]): boolean {
  return disqualifications(comparisons).length === 0;
}

function ratioCell(own: Result, peer: Result | undefined): string {
  if (peer === undefined) return '–';
  return isFigure(own) && isFigure(peer) ? ratioOf(own, peer).toFixed(2) : 'no figure';
}

function losses(comparisons: readonly Comparison[], peerNames: readonly string[]): string[] {
  const all = peerNames.map((name) => {
    const lost = comparisons.flatMap(({ what, own, peers }) => {
      const ratio = ratioCell(own, resultOf(peers, name));
      return Number(ratio) > 1 ? [`${what} (${ratio})`] : [];
    });
    return lost.length === 0 ? [] : [`- than ${name}: ${lost.join('; ')}`];
  });
  const lines = all.flat();
  return lines.length === 0 ? [] : [`This program costs more\n\n${lines.join('\n')}`];
}

function disqualifications(comparisons: readonly Comparison[]): string[] {
  return comparisons.flatMap(({ what, own, peers }) =>
    [own, ...peers].flatMap((result) =>
      isFigure(result) ? [] : [`No figure for “${what}” by ${result.title}: ${result.reason}.`],
    ),
  );
}

function resultOf(peers: readonly Result[], name: string): Result | undefined {
  return peers.find(({ title }) => title === name);
}

function isFigure(result: Result): result is Figure {
  return 'costs' in result;
}
