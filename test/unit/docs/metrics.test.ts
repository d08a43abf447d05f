import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { LAYOUTS } from '../../../lib/metrics/layout.js';
import { metricsTable } from '../../support/metrics-table.js';

const pathOf = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
const textOf = (path: string): string => readFileSync(pathOf(path), 'utf8');

const DASHBOARD = 'deploy/grafana/peter-sslers-proxy.json';
const ALERTS = 'deploy/prometheus/alerts.yml';

/** As they come in queries: a histogram is asked for by its parts. */
const KNOWN = new Set<string>(
  LAYOUTS.flatMap(({ name, definition }) =>
    definition.type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
  ),
);

interface Dashboard {
  readonly panels: readonly {
    readonly title: string;
    readonly targets?: readonly { readonly expr: string }[];
  }[];
}

const queries = (JSON.parse(textOf(DASHBOARD)) as Dashboard).panels.flatMap(({ targets = [] }) =>
  targets.map(({ expr }) => expr),
);

const namesIn = (text: string): string[] => [...text.matchAll(/peter_sslers_\w+/g)].map(([name]) => name);

const promtool = (...args: string[]): { readonly status: number | null; readonly output: string } => {
  const { status, stdout, stderr } = spawnSync('promtool', args, { encoding: 'utf8' });
  return { status, output: stdout + stderr };
};

/** Cells without the padding of the layout. */
const rowsOf = (table: string): string[][] =>
  table
    .split('\n')
    .filter((row) => row.startsWith('| `'))
    .map((row) => row.split(/(?<!\\)\|/).map((cell) => cell.trim()));

describe('docs/metrics.md', () => {
  it('has the table of all metrics', () => {
    const table = /<!-- metrics -->([\s\S]*?)<!-- \/metrics -->/.exec(textOf('docs/metrics.md'))?.[1] ?? '';
    expect(rowsOf(table)).to.deep.equal(rowsOf(metricsTable()));
  });

  it('speaks of no metric that there is not', () => {
    const names = new Set<string>(LAYOUTS.map(({ name }) => name));
    expect(namesIn(textOf('docs/metrics.md')).filter((name) => !names.has(name))).to.deep.equal([]);
  });
});

describe('The dashboard', () => {
  it('asks for metrics that there are', () => {
    expect(queries.flatMap(namesIn).filter((name) => !KNOWN.has(name))).to.deep.equal([]);
  });

  it('shows every metric', () => {
    const shown = new Set(queries.flatMap(namesIn).map((name) => name.replace(/_(?:bucket|sum|count)$/, '')));
    expect(LAYOUTS.map(({ name }) => name).filter((name) => !shown.has(name))).to.deep.equal([]);
  });

  it('asks in a language that Prometheus understands', () => {
    const dir = mkdtempSync(join(tmpdir(), 'peter-sslers-proxy-test-'));
    try {
      const rules = queries.map((expr, i) => ({
        record: `query:${i}`,
        expr: expr.replaceAll('$__rate_interval', '5m'),
      }));
      const file = join(dir, 'rules.json');
      writeFileSync(file, JSON.stringify({ groups: [{ name: 'dashboard', rules }] }));
      const { status, output } = promtool('check', 'rules', file);
      expect(status, output).to.equal(0);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});

describe('The rules for alerts', () => {
  it('ask for metrics that there are', () => {
    expect(namesIn(textOf(ALERTS)).filter((name) => !KNOWN.has(name))).to.deep.equal([]);
  });

  it('are what Prometheus reads', () => {
    const { status, output } = promtool('check', 'rules', pathOf(ALERTS));
    expect(status, output).to.equal(0);
  });

  it('give the alarm when they should, and no other', () => {
    const { status, output } = promtool('test', 'rules', pathOf('test/fixtures/metrics/alerts.test.yml'));
    expect(status, output).to.equal(0);
  });
});
