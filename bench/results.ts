/**
 * The figures in RESULTS.md: a section for each major version of Node, below a text on the method, which is written by hand.
 */
import { readFile, writeFile } from 'node:fs/promises';

export interface Section {
  /** `v20.20.2`. */
  readonly nodeVersion: string;
  /** Markdown. */
  readonly text: string;
}

const RESULTS = new URL('./RESULTS.md', import.meta.url);

/** Puts a section in the place of an earlier one of the same Node; all else stays. */
export async function writeResults({ nodeVersion, text }: Section): Promise<void> {
  const major = /^v\d+/.exec(nodeVersion)?.[0] ?? nodeVersion;
  const [method = '', ...sections] = (await readFile(RESULTS, 'utf8')).split(/^(?=## )/m);
  const others = sections.filter((section) => !section.startsWith(`## Node ${major}`));
  const all = [...others, `## Node ${nodeVersion}\n\n${text}`].map((section) => section.trimEnd()).sort();
  await writeFile(RESULTS, `${[method.trimEnd(), ...all].join('\n\n')}\n`);
}
