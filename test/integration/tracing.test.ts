/**
 * The example for OpenTelemetry in `docs/tracing.md`, as it is there, with OpenTelemetry's own packages: what a collector gets.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { startBackend } from '../support/backend.js';
import { makeTempDir, makeTestCa } from '../support/certificates.js';
import { request } from '../support/client.js';
import { modulesOf } from '../support/doc-page.js';
import { eventually, eventuallySees } from '../support/eventually.js';
import { startFakeManager } from '../support/fake-manager.js';
import { startProgram } from '../support/program.js';

const ROOT = new URL('../../', import.meta.url);

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly status: { readonly code?: number; readonly message?: string };
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];
}

interface Export {
  readonly resourceSpans: readonly { readonly scopeSpans: readonly { readonly spans: readonly Span[] }[] }[];
}

/** Takes spans as a collector does, in OTLP's JSON. */
class Collector {
  readonly spans: Span[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<Collector> {
    const server = createServer();
    const collector = new Collector(server);
    server.on('request', (incoming, response) => {
      let text = '';
      incoming.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      incoming.on('end', () => {
        const { resourceSpans } = JSON.parse(text) as Export;
        const scopes = resourceSpans.flatMap(({ scopeSpans }) => scopeSpans);
        collector.spans.push(...scopes.flatMap(({ spans }) => spans));
        response.setHeader('Content-Type', 'application/json').end('{}');
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return collector;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** How many traces the spans so named are of. */
  traces(name: string): number {
    return new Set(this.spans.filter((span) => span.name === name).map(({ traceId }) => traceId)).size;
  }

  /** The spans, once there is one of each of these names; those of failures have `failed` behind it. */
  async all(names: readonly string[]): Promise<Span[]> {
    const titles = (): string[] =>
      this.spans.map((span) => (isFailed(span) ? `${span.name} failed` : span.name));
    await eventuallySees(`the spans ${names.join(', ')}`, titles, (some) =>
      names.every((name) => some.includes(name)),
    );
    return this.spans;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

const ERROR = 2;

function isFailed({ status }: Span): boolean {
  return status.code === ERROR;
}

function attribute({ attributes }: Span, key: string): unknown {
  const { value } = attributes.find((one) => one.key === key) ?? {};
  return value === undefined ? undefined : Object.values(value)[0];
}

/** A process with the id that all of them have in a container, in which one handshake is done, with the same id in each. */
const RUN_IN_CONTAINER = `
  import { channel } from 'node:diagnostics_channel';
  Object.defineProperty(process, 'pid', { value: 1 });
  await import(process.argv[1]);
  const message = { handshake: '1-1', outcome: 'done', startedAtMs: Date.now(), tookMs: 1 };
  channel('peter-sslers-proxy:handshake').publish(message);
  setTimeout(() => undefined, 60_000);
`;

/** The module of the page, in a folder from which it finds its packages. @returns its path. */
async function placeModule(dir: string): Promise<string> {
  const [, { name, text }] = modulesOf(await readFile(new URL('docs/tracing.md', ROOT), 'utf8')) as [
    unknown,
    { name: string; text: string },
  ];
  await writeFile(join(dir, name), text);
  await symlink(fileURLToPath(new URL('node_modules', ROOT)), join(dir, 'node_modules'));
  return join(dir, name);
}

describe('The example for OpenTelemetry', () => {
  it('tells apart the handshakes of two runs that have the same ids', async () => {
    const { dir, remove } = await makeTempDir();
    await using collector = await Collector.start();
    const module = await placeModule(dir);
    const env = { ...process.env, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
    const runs = [1, 2].map(() =>
      spawn(process.execPath, ['--input-type=module', '-e', RUN_IN_CONTAINER, module], { env }),
    );
    try {
      await eventually('both have told', () => collector.spans.length === 2);
      expect(collector.traces('tls handshake')).to.equal(2);
    } finally {
      for (const run of runs) run.kill('SIGKILL');
      await remove();
    }
  });

  it('sends a trace of each handshake from both processes, and one of each request that is linked to it', async () => {
    const { dir, remove } = await makeTempDir();
    const manager = await startFakeManager();
    try {
      const module = await placeModule(dir);
      manager.issue('new.test', await (await makeTestCa()).issue(['new.test']));
      await using collector = await Collector.start();
      await using backend = await startBackend((_incoming, response) => response.end('hello'));
      await using program = await startProgram(
        [
          ...['--fallback-server', manager.root, '--enable-autocert', '--autocert-allow', '*.test'],
          ...['--backend', backend.url],
        ],
        {
          env: {
            NODE_OPTIONS: `--import ${module}`,
            OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
          },
        },
      );
      const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
      await request({ port: program.port, name: 'new.test', path: '/a?secret=1', headers: { traceparent } });
      await fetch(`http://127.0.0.1:${program.port}/`);
      const spans = await collector.all([
        ...['tls handshake', 'tls handshake failed', 'look-up', 'ask manager', 'order', 'GET'],
      ]);

      const byName = (wanted: string): Span[] => spans.filter((span) => span.name === wanted);
      const root = byName('tls handshake').find((span) => attribute(span, 'tier') === 'manager')!;
      const [lookUp] = byName('look-up');
      const [ask] = byName('ask manager');
      const [order] = byName('order');
      const [get] = byName('GET');
      const failed = byName('tls handshake').find(isFailed);
      expect(failed?.status.message).to.equal('plain-http: plain HTTP on a TLS port');
      expect(root.parentSpanId ?? '').to.equal('');
      for (const span of [lookUp!, ask!, order!]) expect(span.traceId, span.name).to.equal(root.traceId);
      expect(lookUp!.parentSpanId).to.equal(root.spanId);
      expect(ask!.parentSpanId).to.equal(lookUp!.spanId);
      expect(order!.parentSpanId).to.equal(root.spanId);
      for (const span of [lookUp!, order!]) {
        expect(BigInt(span.startTimeUnixNano) >= BigInt(root.startTimeUnixNano), span.name).to.equal(true);
        expect(BigInt(span.endTimeUnixNano) <= BigInt(root.endTimeUnixNano), span.name).to.equal(true);
      }
      expect(attribute(order!, 'result')).to.equal('issued');
      expect(get!.traceId).to.equal('0af7651916cd43dd8448eb211c80319c');
      expect(get!.parentSpanId).to.equal('b7ad6b7169203331');
      expect(get!.links?.map(({ spanId }) => spanId)).to.deep.equal([root.spanId]);
      expect(attribute(get!, 'url.path')).to.equal('/a');
      expect(attribute(get!, 'backend')).to.equal(backend.url);
      expect(JSON.stringify(spans)).not.to.contain('secret');
      expect(program.stderr).not.to.match(/otlp|opentelemetry/i);
    } finally {
      await manager.close();
      await remove();
    }
  });
});
