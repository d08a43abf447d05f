/**
 * A page in Chromium: a hundred images, an event stream, an upload and a WebSocket, all of them on the HTTP/2
 * connection of the page. The browser's own log of its connections is the witness.
 */
import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { WebSocket } from 'undici';
import { defer } from '../../lib/base/deferred.js';
import { startBackend } from '../support/backend.js';
import { makeTempDir } from '../support/certificates.js';
import { findProgram } from '../support/find-program.js';
import { startProgram } from '../support/program.js';
import { echoWebSockets } from '../support/web-socket.js';

const IMAGES = 100;
const UPLOAD_BYTES = 3_000_000;
const DOT = '<svg xmlns="http://www.w3.org/2000/svg" width="2" height="2"/>';
/** What the browser does; it brings its report to /report. */
const PAGE = `<!doctype html><title>x</title><script type="module">
  const protocols = () => [...new Set(performance.getEntries().map((entry) => entry.nextHopProtocol).filter(Boolean))];
  const images = Array.from({ length: ${IMAGES} }, async (_, i) => {
    const image = new Image();
    image.src = '/image/' + i + '.svg';
    await image.decode();
  });
  await Promise.all(images);
  const events = await new Promise((resolve) => {
    const source = new EventSource('/events');
    const seen = [];
    source.onmessage = ({ data }) => {
      seen.push(data);
      // The next one is written only then.
      if (seen.length === 3) { source.close(); resolve(seen); } else fetch('/next', { method: 'POST' });
    };
  });
  const upload = await (await fetch('/upload', { method: 'PUT', body: new Uint8Array(${UPLOAD_BYTES}) })).text();
  const socket = new WebSocket('/socket'.replace(/^/, 'wss://' + location.host));
  await new Promise((resolve, reject) => { socket.onopen = resolve; socket.onerror = reject; });
  const echoes = [];
  for (const text of ['hello', 'x'.repeat(100_000)]) {
    const echo = new Promise((resolve) => (socket.onmessage = ({ data }) => resolve(data)));
    socket.send(text);
    echoes.push((await echo) === text);
  }
  const closed = new Promise((resolve) => (socket.onclose = ({ code, wasClean }) => resolve({ code, wasClean })));
  socket.close(1000);
  const report = { protocols: protocols(), images: images.length, events, upload, echoes, closed: await closed };
  await fetch('/report', { method: 'POST', body: JSON.stringify(report) });
</script>`;

/** Closes a browser in order, so that it ends what it writes. */
async function closeBrowser(profile: string): Promise<void> {
  const [port, path] = (await readFile(join(profile, 'DevToolsActivePort'), 'utf8')).split('\n');
  const control = new WebSocket(`ws://127.0.0.1:${port}${path}`);
  await once(control, 'open');
  control.send(JSON.stringify({ id: 1, method: 'Browser.close' }));
}

interface NetLog {
  readonly constants: { readonly logEventTypes: Readonly<Record<string, number>> };
  readonly events: readonly {
    readonly type: number;
    readonly source: { readonly id: number };
    readonly params?: { readonly headers?: unknown };
  }[];
}

/** The connections on which a header line was sent. */
const sourcesOf = ({ constants, events }: NetLog, line: string): number[] => [
  ...new Set(
    events
      .filter(({ type }) => type === constants.logEventTypes['HTTP2_SESSION_SEND_HEADERS'])
      .filter(({ params }) => Array.isArray(params?.headers) && params.headers.includes(line))
      .map(({ source }) => source.id),
  ),
];

describe('A page in Chromium', () => {
  it('has its images, events, upload and WebSocket on one HTTP/2 connection', async () => {
    const { dir, remove } = await makeTempDir();
    const report = defer<Record<string, unknown>>();
    let events: ServerResponse | undefined;
    let written = 0;
    const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const body = Buffer.concat(chunks);
      const { url = '' } = request;
      if (url === '/events') {
        events = response.writeHead(200, { 'Content-Type': 'text/event-stream' });
        events.write(`data: ${++written}\n\n`);
        return;
      }
      if (url === '/next') events?.write(`data: ${++written}\n\n`);
      if (url === '/report') report.resolve(JSON.parse(body.toString()) as Record<string, unknown>);
      if (url.endsWith('.svg')) response.setHeader('Content-Type', 'image/svg+xml');
      else response.setHeader('Content-Type', 'text/html');
      response.end(url === '/' ? PAGE : url.endsWith('.svg') ? DOT : String(body.length));
    };
    await using backend = await startBackend((request, response) => void answer(request, response));
    echoWebSockets(backend);
    const access = join(dir, 'access.log');
    await using program = await startProgram([
      ...['--backend', backend.url, '--workers', '2', '--access-log', access, '--access-log-format', 'json'],
    ]);
    const netLog = join(dir, 'net.json');
    const browser = spawn(
      findProgram('chromium', 'chromium'),
      [
        ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run'],
        ...['--ignore-certificate-errors', `--user-data-dir=${dir}/profile`, `--log-net-log=${netLog}`],
        ...['--remote-debugging-port=0', `https://a.localhost:${program.port}/`],
      ],
      { stdio: 'ignore' },
    );
    const exited = once(browser, 'exit');
    try {
      expect(await report.promise).to.deep.equal({
        protocols: ['h2'],
        images: IMAGES,
        events: ['1', '2', '3'],
        upload: String(UPLOAD_BYTES),
        echoes: [true, true],
        closed: { code: 1000, wasClean: true },
      });
      await closeBrowser(join(dir, 'profile'));
      await exited;
    } finally {
      browser.kill('SIGKILL');
    }
    const log = JSON.parse(await readFile(netLog, 'utf8')) as NetLog;
    const page = sourcesOf(log, ':path: /upload');
    expect(page).to.have.length(1);
    expect(sourcesOf(log, ':protocol: websocket')).to.deep.equal(page);
    const lines = (await readFile(access, 'utf8')).split('\n').filter((line) => line.includes('"/socket"'));
    expect(lines.map((line) => JSON.parse(line) as object)).to.have.length(1);
    expect(JSON.parse(lines[0] ?? '')).to.include({ method: 'GET', protocol: 'HTTP/2.0', status: 200 });
    await remove();
  }).timeout(120_000);
});
