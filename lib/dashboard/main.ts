/**
 * The dashboard: joins the stream of frames with what draws them.
 */
import { StackedChart } from './chart.js';
import { byId, el, keyed, setText } from './dom.js';
import { expireDialog } from './expire-dialog.js';
import { expiryView } from './expiry-view.js';
import { Feed } from './feed.js';
import type { Frame } from './frame.js';
import { headline } from './headline.js';
import { healthOf, type HealthFacts } from './health.js';
import { Recent } from './rates.js';
import {
  backendFacts,
  backendRows,
  defaultRows,
  orderRows,
  processRows,
  sourceRows,
  workerRows,
} from './tables.js';
import { tableView } from './table-view.js';
import { counted } from './text.js';
import { themeSwitch } from './theme.js';
import { wayOf } from './way.js';
import { wayView } from './way-view.js';
import { whyPanel } from './why-panel.js';
import { TIERS, tierWord } from './words.js';
import { durationText } from '../base/duration-text.js';

/** Rates in words and pictures are of so many seconds: those of one jump about. */
const SMOOTH_S = 5;
const MINUTE_S = 60;
const CODES = ['2xx', '3xx', '4xx', '5xx', '1xx', 'none'] as const;

const recent = new Recent();
const head = headline();
const askExpire = expireDialog();
const why = whyPanel(askExpire);
const drawWay = wayView(byId('way'));
const handshakes = new StackedChart(
  byId('handshakes'),
  'Handshakes a second by tier over the last five minutes; the numbers are in the list below',
  TIERS.map((tier) => ({ label: tierWord(tier), colour: `tier-${tier}` })),
);
const requests = new StackedChart(
  byId('requests'),
  'Requests a second by class of the status over the last five minutes; the numbers are in the list below',
  CODES.map((code) => ({ label: code === 'none' ? 'client gone' : code, colour: `code-${code}` })),
);
const drawExpiry = expiryView(byId('certificates'), (name) => why.open(name));
const drawSources = tableView(
  byId('sources'),
  'Sources in the order of asking',
  ['source', 'state', 'found', 'has none', 'cannot tell', 'mean time', 'last error'],
  'No source is set.',
);
const drawOrderFacts = tableView(byId('orders'), 'Orders in numbers', [], '');
const drawDefaults = tableView(
  byId('defaults'),
  'Default certificates by reason',
  ['because', 'since the start', 'now'],
  'None since the start.',
);
const drawBackends = tableView(
  byId('backends'),
  'Backends, those in trouble first, at most 20',
  ['backend', 'route', 'state', 'busy', 'idle', 'last error'],
  'No backend is known of yet.',
);
const drawBackendFacts = tableView(byId('backend-facts'), 'Traffic to backends in numbers', [], '');
const drawWorkers = tableView(byId('workers'), 'Workers', ['process', 'state', 'up'], 'No worker yet.');
const drawProcesses = tableView(
  byId('processes'),
  'Processes',
  ['process', 'CPU', 'memory', 'loop delay', 'files'],
  'Nothing is told of the processes yet.',
);
const drawOrders = keyed(
  byId('order-names'),
  (name: string) => name,
  (name) => {
    const button = el('button', { type: 'button', class: 'name' }, name);
    button.addEventListener('click', () => why.open(name));
    return { root: el('li', {}, button) };
  },
  () => undefined,
);
let lastMs: number | undefined;

function take({ status, series }: Frame): void {
  lastMs = Date.now();
  const before = recent.newest;
  recent.add({ status, ...(series !== undefined && { series }) });
  const { newest } = recent;
  if (newest === undefined) return;
  if (before?.pid !== newest.pid || before.uptimeMs > newest.uptimeMs) {
    handshakes.clear();
    requests.clear();
  }
  const { numbers } = newest;
  const facts: HealthFacts = { status, numbers, now: recent.over(SMOOTH_S), minute: recent.within(MINUTE_S) };
  head.health(healthOf(facts));
  drawWay(wayOf({ status, numbers, rates: facts.now }));
  const last = recent.over(1);
  if (last.isKnown) {
    const by = (name: string, label: string) => (value: string) => last.perSecond(name, { [label]: value });
    handshakes.add(status.atMs, TIERS.map(by('peter_sslers_handshakes_total', 'tier')));
    requests.add(status.atMs, CODES.map(by('peter_sslers_requests_total', 'code')));
  }
  drawExpiry(status, numbers);
  drawTables(facts);
  drawFacts(facts);
}

function drawTables(facts: HealthFacts): void {
  const { orders } = facts.status;
  drawSources(sourceRows(facts));
  setText(
    byId('orders-say'),
    orders.length === 0 ? 'No name is being ordered.' : `${counted(orders.length, 'name')} under order:`,
  );
  drawOrders([...new Set(orders)].slice(0, 100));
  drawOrderFacts(orderRows(facts));
  drawDefaults(defaultRows(facts));
  drawBackends(backendRows(facts));
  drawBackendFacts(backendFacts(facts));
  drawWorkers(workerRows(facts));
  drawProcesses(processRows(facts));
}

function drawFacts({ status }: HealthFacts): void {
  const { version, node, pid, listeners, lastReload } = status;
  setText(byId('version'), version);
  const reload =
    lastReload === undefined
      ? 'not reloaded since the start'
      : `${lastReload.failure === undefined ? 'reloaded' : 'a reload failed'} ${durationText(lastReload.agoMs)} ago`;
  setText(byId('facts'), [`Node ${node}`, `process ${pid}`, reload, listeners.join(' ')].join(' · '));
}

themeSwitch(byId('theme'), () => {
  handshakes.recolour();
  requests.recolour();
});
byId('expire-all').addEventListener('click', () => askExpire());
document.addEventListener('keydown', (event) => {
  const isTyping = event.target instanceof HTMLInputElement;
  // A dialog closes by itself.
  if (document.querySelector('dialog[open]') !== null) return;
  if (event.key === '/' && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    (byId('search') as HTMLInputElement).select();
    byId('search').focus();
  }
  if (event.key === 'Escape') why.close();
});
new Feed({ frame: take, state: (state) => head.feed(state, lastMs) }).start();
