/**
 * What each folder of `lib` may import, beside its own files: a list, so that a new dependency is a decision. The sentence says
 * what the folder answers, and is printed with the rule that was broken. `docs/architecture.md` has the picture.
 */
const folders = {
  domain: { may: [], says: 'names, certificates and results: it computes, and knows nobody' },
  base: { may: [], says: 'small tools without a word of the domain' },
  channels: { may: ['domain'], says: 'what is told to whoever listens, and how: diagnostics channels' },
  log: { may: ['domain'], says: 'lines of the log, and where they go' },
  metrics: { may: ['domain', 'base'], says: 'what is counted: it knows nobody who counts' },
  net: { may: ['domain', 'base'], says: 'connections below TLS, and addresses' },
  'net/names': { may: ['domain', 'base', 'net'], says: 'the addresses of names' },
  pki: { may: ['domain'], says: 'certificates that we make ourselves' },
  tls: { may: ['domain', 'net'], says: 'from accepted bytes to a finished handshake' },
  caches: { may: ['domain', 'base'], says: 'what is remembered, and for how long' },
  config: { may: ['domain', 'base', 'log', 'tls'], says: 'from flags and files to checked settings' },
  bus: {
    may: ['domain', 'config', 'metrics'],
    says: 'messages between primary and workers: transport, no type of its own for what they carry',
  },
  sources: { may: ['domain'], says: 'the contract of a source' },
  'sources/limits': {
    may: ['domain', 'base', 'channels', 'log', 'net', 'sources'],
    says: 'how often a source is asked',
  },
  'sources/directory': { may: ['domain', 'base', 'log', 'sources'], says: 'certificates on disk' },
  'sources/internal-ca': {
    may: ['domain', 'base', 'log', 'pki', 'sources'],
    says: 'certificates of our own authority',
  },
  'sources/manager': {
    may: ['domain', 'base', 'channels', 'log', 'net', 'config', 'sources'],
    says: 'the certificate manager',
  },
  'sources/redis': {
    may: ['domain', 'base', 'log', 'config', 'sources'],
    says: 'what the manager has primed Redis with',
  },
  resolver: {
    may: ['domain', 'base', 'channels', 'log', 'caches', 'sources', 'tls'],
    says: 'which certificate a name gets: it knows contracts, not sources',
  },
  diagnosis: { may: ['domain', 'base'], says: 'why a certificate is served: from facts to one sentence' },
  admin: {
    may: ['domain', 'base', 'log', 'net', 'diagnosis'],
    says: 'operations for administrators, and their passwords',
  },
  dashboard: {
    may: ['domain', 'base', 'diagnosis', 'admin'],
    says: 'the page for administrators: it runs in their browser, and of the others it has pure functions and types',
  },
  'proxy/headers': { may: ['domain', 'base', 'net'], says: 'header fields, towards either side' },
  'proxy/http1': { may: [], says: 'the syntax of HTTP/1.1, whichever side has sent it' },
  'proxy/http2': { may: ['base'], says: 'the syntax of HTTP/2, whichever side has sent it' },
  'proxy/http2/hpack': { may: ['base'], says: 'header blocks of HTTP/2' },
  'proxy/upstream': {
    may: ['domain', 'config', 'log', 'net/names', 'proxy/headers'],
    says: 'which backend: it never knows the client',
  },
  'proxy/upstream/http1': {
    may: ['domain', 'base', 'config', 'net', 'net/names', 'proxy/headers', 'proxy/http1', 'proxy/upstream'],
    says: 'HTTP/1.1 towards backends',
  },
  'proxy/upstream/http2': {
    may: ['domain', 'config', 'net', 'net/names', 'proxy/headers', 'proxy/upstream'],
    says: 'HTTP/2 towards backends',
  },
  'proxy/downstream': {
    may: ['domain', 'base', 'config', 'net', 'proxy/headers'],
    says: 'requests and responses towards clients: it never knows the backend',
  },
  'proxy/downstream/http1': {
    may: ['base', 'config', 'net', 'proxy/headers', 'proxy/http1', 'proxy/downstream'],
    says: 'HTTP/1.1 towards clients',
  },
  'proxy/downstream/http2-node': {
    may: ['domain', 'config', 'net', 'proxy/headers', 'proxy/downstream'],
    says: 'HTTP/2 towards clients, on the engine of Node',
  },
  'proxy/downstream/http2': {
    may: ['base', 'config', 'net', 'proxy/headers', 'proxy/http2', 'proxy/http2/hpack', 'proxy/downstream'],
    says: 'HTTP/2 towards clients',
  },
  'proxy/tunnel': {
    may: ['domain', 'config', 'log', 'net', 'net/names', 'proxy/downstream', 'proxy/upstream'],
    says: 'bytes passed on unread',
  },
  'proxy/access-log': {
    may: [
      'domain',
      'config',
      'log',
      'net',
      'proxy/headers',
      'proxy/downstream',
      'proxy/downstream/http1',
      'proxy/tunnel',
    ],
    says: 'one line for each request and tunnel',
  },
  proxy: {
    may: ['domain', 'config', 'log', 'net', 'net/names', 'admin', 'proxy/*'],
    says: 'what becomes of a request: the one place where both sides meet',
  },
  worker: {
    may: [
      'domain',
      'base',
      'channels',
      'log',
      'metrics',
      'net',
      'net/names',
      'tls',
      'caches',
      'config',
      'bus',
      'admin',
      'proxy',
      'proxy/*',
    ],
    says: 'the process that serves clients: it meets the primary on the bus alone',
  },
  primary: {
    may: [
      'domain',
      'base',
      'log',
      'metrics',
      'net',
      'tls',
      'pki',
      'caches',
      'config',
      'bus',
      'sources',
      'sources/*',
      'resolver',
      'diagnosis',
      'admin',
    ],
    says: 'the process that owns settings and caches: it never touches what clients send',
  },
  check: {
    may: [
      'domain',
      'base',
      'net',
      'config',
      'sources',
      'sources/redis',
      'sources/manager',
      'sources/directory',
      'resolver',
    ],
    says: 'what is wrong with a configuration and its surroundings, without starting anything',
  },
  cli: {
    may: ['domain', 'base', 'config', 'admin', 'diagnosis', 'primary', 'cli/*'],
    says: 'the command line',
  },
  'cli/commands': {
    may: ['domain', 'base', 'config', 'admin', 'diagnosis', 'check', 'cli', 'cli/completion'],
    says: 'a command each',
  },
  'cli/completion': { may: ['config', 'cli'], says: 'scripts by which shells complete what is typed' },
};

/** The files of a folder itself, or (`folder/*`) of those below it. */
const filesOf = (folder) =>
  folder.endsWith('/*') ? `^lib/${folder.slice(0, -2)}/.+/[^/]+$` : `^lib/${folder}/[^/]+$`;

const perFolder = Object.entries(folders).map(([folder, { may, says }]) => ({
  name: `${folder} imports ${may.join(', ') || 'nothing of ours'}`,
  comment: `lib/${folder}: ${says}`,
  severity: 'error',
  from: { path: filesOf(folder) },
  to: { path: '^lib/', pathNot: [folder, ...may].map(filesOf) },
}));

const known = ['^lib/index\\.ts$', ...Object.keys(folders).map(filesOf)];

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
      name: 'no-unknown-folder',
      comment: 'A new folder of lib gets a line in .ci/import-rules.cjs and in docs/architecture.md.',
      severity: 'error',
      from: { path: '^lib/', pathNot: known },
      to: {},
    },
    {
      name: 'domain-is-pure',
      comment: 'lib/domain does no I/O: of Node only what computes.',
      severity: 'error',
      from: { path: '^lib/domain/' },
      to: { pathNot: ['^lib/domain/', '^(node:)?(crypto|net|url)$'] },
    },
    {
      name: 'nobody-imports-the-library',
      comment: 'lib/index.ts is for embedders.',
      severity: 'error',
      from: { path: '^lib/' },
      to: { path: '^lib/index\\.ts$' },
    },
    ...perFolder,
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
  },
};
