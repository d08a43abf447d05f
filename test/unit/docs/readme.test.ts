import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { canonicalArguments } from '../../../lib/cli/arguments.js';
import { parseLogLevel } from '../../../lib/config/log-level.js';
import { parseBoolean, Problem } from '../../../lib/config/parse.js';
import { gather } from '../../../lib/config/precedence.js';
import { parseListen } from '../../../lib/config/listen-address.js';
import { bytesOf, secondsOf } from '../../../lib/config/quantities.js';
import { parseBackend } from '../../../lib/config/routes.js';
import { flagTable } from '../../support/flag-table.js';

const textOf = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
const flags = textOf('docs/flags.md');
const readme = textOf('README.md');

describe('README and docs/flags.md', () => {
  it('have the table of flags that the program reads', () => {
    const between = /<!-- flags -->\n\n?([\s\S]*?)\n\n?<!-- \/flags -->/.exec(flags)?.[1];
    const cells = (table: string | undefined) =>
      (table ?? '').split('\n').map((row) => row.split('|').map((cell) => cell.trim().replace(/^-+$/, '-')));
    expect(cells(between)).to.deep.equal(cells(flagTable()));
  });

  it('have configuration files that the program takes', () => {
    const texts = [...flags.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text = '']) => text);
    expect(texts.length).to.be.greaterThan(0);
    for (const text of texts) {
      const { given } = gather({ flags: { config: ['/c'] }, env: {}, readFile: () => text, cwd: '/' });
      given.list('listen', (text) => parseListen(text, false));
      given.list('backend', parseBackend);
    }
  });

  it('have shapes of values that the program takes', () => {
    const shapes: Record<string, (text: string) => unknown> = {
      's, a duration': secondsOf,
      SIZE: bytesOf,
      'a switch': parseBoolean,
      'ADDR:PORT': (text) => parseListen(text, true),
      LEVEL: parseLogLevel,
    };
    let read: ((text: string) => unknown) | undefined;
    const seen = new Set<unknown>();
    for (const [, name = '', examples = ''] of flags.matchAll(/^\| ([^|`-]*?) +\| (`[^|]*?) +\|/gm)) {
      read = name === '' ? read : shapes[name];
      seen.add(read);
      for (const [, text = ''] of examples.matchAll(/`([^`]+)`/g)) {
        const value = read?.(text);
        expect(value, text).to.satisfy(() => !(value instanceof Problem) && !Number.isNaN(value));
      }
    }
    expect(seen).to.deep.equal(new Set(Object.values(shapes)));
  });

  it('name no flag that there is not', () => {
    const commands = [...readme.matchAll(/peter-sslers-proxy start((?:[^\n`]|\\\n)*)/g)].map(
      ([, rest = '']) =>
        rest
          .replaceAll('\\\n', ' ')
          .trim()
          .split(/\s+/)
          .filter(Boolean)
          .map((word) => word.replaceAll("'", '')),
    );
    expect(commands.length).to.be.greaterThan(6);
    for (const words of commands) {
      const given = Object.fromEntries(
        canonicalArguments(words)
          .filter((flag) => flag.startsWith('--'))
          .map((flag) => [flag.slice(2, flag.indexOf('=')), [flag.slice(flag.indexOf('=') + 1)]]),
      );
      gather({ flags: given, env: {}, readFile: () => '', cwd: '/' });
    }
    for (const [, name = ''] of (readme + flags).matchAll(/`--([a-z][a-z0-9_-]+)/g)) {
      expect(() => canonicalArguments([`--${name}=x`]), name).not.to.throw();
    }
  });
});
