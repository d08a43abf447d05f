/**
 * The commands of a page of the documentation: its sections, the fenced `sh` blocks in them, and the `text` block behind one, which
 * is what it prints. PURE.
 */

export interface DocBlock {
  readonly text: string;
  /** What it prints; undefined: the page does not say. */
  readonly output: string | undefined;
}

export interface DocSection {
  /** The heading of first or second order; empty before the first one. */
  readonly heading: string;
  readonly blocks: readonly DocBlock[];
  /** All of it, as it is on the page. */
  readonly text: string;
}

/** A module of JavaScript on a page. */
export interface DocModule {
  readonly name: string;
  readonly text: string;
}

/** The modules of a page: fenced `js` blocks whose first line is a comment that begins with the name of a file. */
export function modulesOf(page: string): DocModule[] {
  return [...page.matchAll(/^```js\n(\/\/ ([\w-]+\.mjs)[\s\S]*?)^```$/gm)].map(
    ([, text = '', name = '']) => ({
      name,
      text,
    }),
  );
}

const PART = /^##? +(.*)$|^ *```(\w*)\n([\s\S]*?)^ *```$/gm;

/** The sections of a page that have commands. */
export function commandSections(page: string): DocSection[] {
  const sections: { heading: string; blocks: DocBlock[]; from: number; to: number }[] = [
    { heading: '', blocks: [], from: 0, to: page.length },
  ];
  let end = -1;
  for (const match of page.matchAll(PART)) {
    const [whole, heading, language, body = ''] = match;
    const section = sections.at(-1)!;
    if (heading !== undefined) {
      section.to = match.index;
      sections.push({ heading, blocks: [], from: match.index, to: page.length });
    } else if (language === 'sh') {
      section.blocks.push({ text: withoutIndent(body), output: undefined });
      end = match.index + whole.length;
    } else if (language === 'text' && end >= 0 && page.slice(end, match.index).trim() === '') {
      const block = section.blocks.pop()!;
      section.blocks.push({ ...block, output: withoutIndent(body) });
      end = -1;
    } else end = -1;
  }
  return sections
    .filter(({ blocks }) => blocks.length > 0)
    .map(({ heading, blocks, from, to }) => ({ heading, blocks, text: page.slice(from, to) }));
}

/** Blocks below an item of a list are indented. */
function withoutIndent(text: string): string {
  const [indent = ''] = /^ */.exec(text) ?? [];
  return text.replaceAll(new RegExp(`^${indent}`, 'gm'), '');
}

/** What differs from run to run, and what stands for it in a comparison. */
const VARIABLE: readonly (readonly [RegExp, string])[] = [
  [/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME'],
  [/\d{4}-\d\d-\d\d \d\d:\d\d UTC/g, 'TIME'],
  [/[A-Z][a-z]{2} +\d+ [\d:]{8} \d{4} GMT/g, 'TIME'],
  [/(?:[0-9A-F]{2}:){31}[0-9A-F]{2}/g, 'FINGERPRINT'],
  [/\b[0-9a-f]{16}\b/g, 'FINGERPRINT'],
  [/\bworker \d+, process \d+/g, 'WORKER'],
  [/\b(pid=|process |primary |worker )\d+/g, '$1N'],
  [/\b\d+ accepting/g, 'N accepting'],
  [/\bNode \d+\.\d+\.\d+/g, 'Node VERSION'],
  [/\b[\d.]+ (?:ms|s|min|h)\b(?: [\d.]+ (?:s|min)\b)?/g, 'DURATION'],
  [/\b(tookMs|orderId)=\d+/g, '$1=N'],
  [/\b[\d.]+ KiB/g, 'N KiB'],
  [/\bTLSv?1\.[23]\b/g, 'TLS'],
  // OpenSSL's words, which differ with its version.
  [/\b(?:sslv3|ssl\/tls) alert\b/g, 'alert'],
  [/\s+/g, ' '],
];

/** A line without what differs from run to run. */
function comparable(line: string): string {
  return VARIABLE.reduce((text, [pattern, by]) => text.replaceAll(pattern, by), line).trim();
}

/** Whether a line of output is the documented one; `…` there stands for anything. */
function isLine(documented: string, line: string): boolean {
  const parts = comparable(documented).split('…');
  const pattern = parts.map((part) => part.replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&')).join('.*');
  return new RegExp(`^${pattern}$`).test(comparable(line));
}

const linesOf = (text: string): string[] => text.split('\n').filter((line) => line.trim() !== '');

/** Documented lines that are not in the output, wherever. */
export function missingLines(documented: string, output: string): string[] {
  const lines = linesOf(output);
  return linesOf(documented).filter((wanted) => !lines.some((line) => isLine(wanted, line)));
}

/**
 * What is wrong with an output: that it is the documented one, line by line, but for empty lines; a line `…` stands for any number.
 *
 * @returns the first documented line that is not there, or line that is not documented; undefined: all is well.
 */
export function difference(documented: string, output: string): string | undefined {
  const [wanted, lines] = [linesOf(documented), linesOf(output)];
  let at = 0;
  let isGap = false;
  for (const line of wanted) {
    if (line.trim() === '…') {
      isGap = true;
      continue;
    }
    const found = isGap ? lines.findIndex((other, i) => i >= at && isLine(line, other)) : at;
    if (found < 0 || !isLine(line, lines[found] ?? '')) return `no ${JSON.stringify(line)}`;
    at = found + 1;
    isGap = false;
  }
  return isGap || at === lines.length ? undefined : `not documented: ${JSON.stringify(lines[at])}`;
}
