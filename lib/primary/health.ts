/**
 * Whether the program lives and whether it can serve: for whoever restarts it, and for load balancers. Each is a line of text, and the
 * status says it too.
 */
import type { Page } from '../admin/operations.js';
import type { SourceStatus, WorkerStatus } from '../domain/status-report.js';

export interface HealthHost {
  readonly supervisor: { statuses(): readonly WorkerStatus[] } | undefined;
  readonly sources: { statuses(): readonly SourceStatus[] };
  readonly pem: { stats(): { readonly entries: number } };
}

/** It answers, and has workers: nothing that a restart would mend is wrong. */
export function healthPage({ supervisor }: HealthHost): Page {
  const workers = supervisor?.statuses() ?? [];
  return workers.length > 0 ? said(200, 'ok') : said(503, 'no worker is there');
}

/** A worker accepts; and a source answers, or certificates are cached, which serve on without any. */
export function readyPage({ supervisor, sources, pem }: HealthHost): Page {
  const workers = supervisor?.statuses() ?? [];
  if (!workers.some(({ state }) => state === 'accepting')) return said(503, 'no worker accepts');
  const skipped = sources.statuses().filter(({ state }) => state === 'skipped');
  const isCut = skipped.length > 0 && skipped.length === sources.statuses().length;
  return isCut && pem.stats().entries === 0
    ? said(503, `no source answers, and nothing is cached: ${skipped.map(({ name }) => name).join(', ')}`)
    : said(200, 'ready');
}

function said(status: number, text: string): Page {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: `${text}\n` };
}
