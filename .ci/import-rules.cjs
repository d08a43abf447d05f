/**
 * Imports point down the house and never round (docs/architecture.md has the picture).
 * The folders of each floor may import from floors below it, never from one above.
 */
const floors = [
  ['^lib/cli/', '^lib/index\\.ts$'],
  ['^lib/primary/', '^lib/worker/'],
  ['^lib/resolver/', '^lib/proxy/', '^lib/admin/'],
  ['^lib/sources/', '^lib/caches/', '^lib/tls/', '^lib/bus/', '^lib/config/'],
  ['^lib/log', '^lib/events\\.ts$'],
  ['^lib/domain/'],
];

const upward = floors.slice(1).map((floor, index) => ({
  name: `no-import-upwards-from-floor-${index + 1}`,
  severity: 'error',
  from: { path: floor },
  to: { path: floors.slice(0, index + 1).flat() },
}));

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-orphans',
      severity: 'error',
      from: { orphan: true, pathNot: ['^lib/index\\.ts$', '^lib/.*/main\\.ts$'] },
      to: {},
    },
    {
      name: 'domain-is-pure',
      comment: 'lib/domain imports nothing of ours and does no I/O: of Node only what computes.',
      severity: 'error',
      from: { path: '^lib/domain/' },
      to: { pathNot: ['^lib/domain/', '^(node:)?(crypto|net)$'] },
    },
    {
      name: 'primary-and-worker-meet-only-on-the-bus',
      severity: 'error',
      from: { path: '^lib/worker/' },
      to: { path: '^lib/primary/' },
    },
    {
      name: 'primary-and-worker-meet-only-on-the-bus-2',
      severity: 'error',
      from: { path: '^lib/primary/' },
      to: { path: '^lib/worker/' },
    },
    ...upward,
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
  },
};
