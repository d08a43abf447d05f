/**
 * Links between pages lead somewhere, and the index of the documentation has every page.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const textOf = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const markdownIn = (folder: string): string[] =>
  readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name));
const DOCS = markdownIn('docs');
const PAGES = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', ...DOCS, ...markdownIn('docs/decisions')];

/** What a heading is called in an address, as GitHub has it. */
function anchorsOf(page: string): string[] {
  return [...page.matchAll(/^#+ +(.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

describe('Links of the documentation', () => {
  for (const path of PAGES)
    it(`lead somewhere: ${path}`, () => {
      const targets = [...textOf(path).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
      for (const target of targets.filter((each) => !/^[a-z]+:/.test(each))) {
        const [file = '', anchor] = target.split('#');
        const other = file === '' ? path : normalize(join(dirname(path), file));
        expect(existsSync(join(ROOT, other)), target).to.equal(true);
        if (anchor !== undefined) expect(anchorsOf(textOf(other)), target).to.include(anchor);
      }
    });

  it('lead from the index to every page', () => {
    const index = textOf('docs/README.md');
    for (const path of DOCS.filter((each) => each !== 'docs/README.md'))
      expect(index).to.contain(`](${path.slice('docs/'.length)})`);
  });
});
