/**
 * The routes of the settings, with the engines behind them.
 */
import type { LimitSettings, RouteSettings } from '../config/settings.js';
import type { Logger } from '../log/logger.js';
import { watchedBalancer } from './upstream/attempts.js';
import type { Balancer } from './upstream/balancer.js';
import { Http1Upstream } from './upstream/http1/upstream.js';
import { Http2Upstream } from './upstream/http2/upstream.js';
import { Router } from './upstream/router.js';
import type { Upstream } from './upstream/upstream.js';

export interface OpenRoutes {
  readonly router: Router<Balancer<Upstream>>;
  /** Keeps the engines open for a request that may be sent more than once, until `release`. */
  hold(this: void): void;
  /** To be called once for each `hold`. */
  release(this: void): void;
  /** Ends when the requests under way have ended. */
  close(): Promise<void>;
}

export function openRoutes(routes: readonly RouteSettings[], limits: LimitSettings, log: Logger): OpenRoutes {
  const upstreams: Upstream[] = [];
  const open = (backend: RouteSettings['backends'][number]): Upstream[] => {
    // A tcp route takes whole connections: it needs no HTTP engine.
    if (backend.kind === 'tcp') return [];
    const upstream = backend.h2 ? new Http2Upstream(backend, limits) : new Http1Upstream(backend, limits);
    upstreams.push(upstream);
    return [upstream];
  };
  const router = new Router(
    routes.map(({ pattern, backends }) => ({
      ...(pattern !== undefined && { pattern }),
      target: watchedBalancer(backends.flatMap(open), log),
    })),
  );
  let held = 0;
  let onFree: (() => void) | undefined;
  return {
    router,
    hold: () => {
      held += 1;
    },
    release: () => {
      held -= 1;
      if (held === 0) onFree?.();
    },
    close: async () => {
      if (held > 0) await new Promise<void>((resolve) => (onFree = resolve));
      await Promise.all(upstreams.map((upstream) => upstream.close()));
    },
  };
}
