/**
 * The routes of the settings, with the engines behind them.
 */
import type { BackendFacts } from '../domain/backend-status.js';
import type { LimitSettings, RouteSettings } from '../config/settings.js';
import type { Logger } from '../log/logger.js';
import type { Names } from '../net/names/names.js';
import { watchedBalancer } from './upstream/attempts.js';
import type { Balancer } from './upstream/balancer.js';
import { Http1Upstream } from './upstream/http1/upstream.js';
import { Http2Upstream } from './upstream/http2/upstream.js';
import { Router, type Route } from '../domain/router.js';
import type { Upstream } from './upstream/upstream.js';

/** How many connections there are to backends, and how many backends are left out. */
export interface BackendCounts {
  readonly busy: number;
  readonly idle: number;
  readonly leftOut: number;
}

export interface OpenRoutes {
  readonly router: Router<Balancer<Upstream>>;
  readonly counts: BackendCounts;
  /** Each backend by itself. */
  facts(this: void): BackendFacts[];
  /** Keeps the engines open for a request that may be sent more than once, until `release`. */
  hold(this: void): void;
  /** To be called once for each `hold`. */
  release(this: void): void;
  /** Ends when the requests under way have ended. */
  close(): Promise<void>;
}

export interface OpenRoutesParts {
  readonly limits: LimitSettings;
  readonly names: Names;
  readonly log: Logger;
}

export function openRoutes(
  routes: readonly RouteSettings[],
  { limits, names, log }: OpenRoutesParts,
): OpenRoutes {
  const upstreams: Upstream[] = [];
  const open = (backend: RouteSettings['backends'][number]): Upstream[] => {
    // A tcp route takes whole connections: it needs no HTTP engine.
    if (backend.kind === 'tcp') return [];
    const Engine = backend.h2 ? Http2Upstream : Http1Upstream;
    const upstream = new Engine(backend, limits, names);
    upstreams.push(upstream);
    return [upstream];
  };
  const targets = routes.map(({ pattern, backends }) => ({
    ...(pattern !== undefined && { pattern }),
    target: watchedBalancer(backends.flatMap(open), log),
  }));
  const router = new Router(targets);
  let held = 0;
  let onFree: (() => void) | undefined;
  return {
    router,
    get counts() {
      let [openCount, idle, leftOut] = [0, 0, 0];
      for (const { connections } of upstreams) {
        openCount += connections?.open ?? 0;
        idle += connections?.idle ?? 0;
      }
      for (const { target } of targets) leftOut += target.leftOut;
      return { busy: openCount - idle, idle, leftOut };
    },
    facts: () => targets.flatMap(factsOf),
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

function factsOf({ pattern, target: balancer }: Route<Balancer<Upstream>>): BackendFacts[] {
  return balancer.health().map(({ target, trouble }) => {
    const { open = 0, idle = 0 } = target.connections ?? {};
    return {
      ...(pattern !== undefined && { pattern }),
      name: target.name,
      busy: open - idle,
      idle,
      ...(trouble && { trouble }),
    };
  });
}
