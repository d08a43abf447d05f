/**
 * Puts the page together: the document, its style and its script in one file, `dist/dashboard.html`. Run by `npm run build`.
 */
import { build, transform } from 'esbuild';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const read = (path) => readFile(new URL(path, import.meta.url), 'utf8');

const { outputFiles } = await build({
  entryPoints: [fileURLToPath(new URL('main.ts', import.meta.url))],
  ...{ bundle: true, write: false, minify: true, platform: 'browser', format: 'iife', target: 'es2022' },
  ...{ legalComments: 'inline', logLevel: 'warning' },
});
const style = `${await read('../../node_modules/uplot/dist/uPlot.min.css')}\n${await read('page.css')}`;
const { code } = await transform(style, { loader: 'css', minify: true, target: 'es2022' });
// As functions: what is put in may have signs that `replace` knows.
const page = (await read('page.html'))
  .replace('/* page.css */', () => code.trim())
  .replace('/* main.ts */', () => (outputFiles[0]?.text ?? '').trim());
const folder = new URL('../../dist/', import.meta.url);
await mkdir(folder, { recursive: true });
await writeFile(new URL('dashboard.html', folder), page);
