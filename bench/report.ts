/**
 * The rows of the result, for the terminal and for RESULTS.md.
 */
import { readFile, writeFile } from 'node:fs/promises';

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

export interface Report {
  /** `v20.20.2`. */
  readonly nodeVersion: string;
  readonly conditions: readonly string[];
  readonly rows: readonly Row[];
}

const HEADINGS = ['operation', 'this program', 'compared with', 'ratio', 'wanted', 'verdict'];

export function table(rows: readonly Row[]): string {
  const cells = [HEADINGS, ...rows.map(cellsOf)];
  const widths = HEADINGS.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const lines = cells.map((row) => `| ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`);
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return `${[lines[0], rule, ...lines.slice(1)].join('\n')}\n`;
}

function cellsOf({ what, ours, base = '', ratio, wanted }: Row): string[] {
  const verdict = wanted === undefined ? '' : wanted.value <= wanted.atMost ? 'met' : 'missed';
  return [what, ours, base, ratio?.toFixed(2) ?? '', wanted?.text ?? '', verdict];
}

const RESULTS = new URL('./RESULTS.md', import.meta.url);
const INTRODUCTION = `# Measured

By \`npm run bench -- --write\`. CPU time is that of all server processes (primary and workers, user and system) per operation,
the median of interleaved rounds, with the middle half of the rounds in brackets; a ratio is the median of the rounds' ratios.
An operation is, but for \`proxying\`, a new connection, a TLS 1.3 handshake (X25519, TLS_AES_128_GCM_SHA256), one request
and its answer. All certificates are a leaf below an intermediate. Compare only within a section: machines differ, and so do
days.

The peer is Node's own \`https\` with one certificate, on the same Node with as many workers. \`canned answer\`: both answer the same
short 404 from memory, this program for a name without a route, so that there is little but TLS. \`forwarded\`: both forward to the same
backend, the peer through undici's \`dispatch\`, as short as can be written. The tiers are told apart by the
information page, which every operation of theirs asks for; that page describes the certificate anew each time, which is part of
each of their figures.

The group \`proxying\` leaves handshakes out: its connections, four unless something else is said, are there before the first round.
The peers are Debian's nginx and HAProxy in front of the same backend, with the same certificate, one worker process or thread each,
without access log, with kept connections to the backend and the \`X-Forwarded-…\` fields of this program. nginx buffers answers as it
does by default, but not on disk, and passes request bodies on as they come (\`proxy_request_buffering off\`); its pool has room for
128 idle connections, and no connection is closed after a number of requests. HAProxy has \`http-reuse always\`. Load and backend are
processes of their own, in no figure. A small answer is 512 bytes; the 100 streams are one connection of h2load, a new one each
round. Small operations are five times as many as the rounds say, those of 1 MiB a fifth. Memory is the growth of the worker's
resident peak over what it was after a single request; next to it is the peak after a body of a tenth of the size, which is the same
where memory does not depend on the size of a body.
`;

/** Puts a report in the place of an earlier one of the same Node; the others stay. */
export async function writeResults(report: Report): Promise<void> {
  const major = /^v\d+/.exec(report.nodeVersion)?.[0] ?? report.nodeVersion;
  const old = await readFile(RESULTS, 'utf8').catch(() => '');
  const others = old
    .split(/^(?=## )/m)
    .filter((section) => section.startsWith('## ') && !section.startsWith(`## Node ${major}`));
  const own = [
    `## Node ${report.nodeVersion}\n`,
    ...report.conditions.map((condition) => `- ${condition}`),
    '',
    table(report.rows),
  ].join('\n');
  const sections = [...others.map((section) => section.trimEnd()), own.trimEnd()].sort();
  await writeFile(RESULTS, `${[INTRODUCTION.trimEnd(), ...sections].join('\n\n')}\n`);
}
