/**
 * Writes the commands into docs/commands.md: `npm run docs:commands`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { commandsText } from './commands-page.js';

const file = new URL('../../docs/commands.md', import.meta.url);
const text = readFileSync(file, 'utf8');
writeFileSync(
  file,
  text.replace(
    /(<!-- commands -->\n\n?)[\s\S]*?(\n\n?<!-- \/commands -->)/,
    (_, begin: string, end: string) => begin + commandsText() + end,
  ),
);
