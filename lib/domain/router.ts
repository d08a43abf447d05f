/**
 * Which route a request takes: its host exactly, else the longest `*.suffix` that covers it, else the default. PURE.
 */
import type { ServerName } from './server-name.js';

export interface Route<Target> {
  /** `www.example.com`, `*.example.com`; absent for the default. */
  readonly pattern?: string;
  readonly target: Target;
}

export class Router<Target> {
  readonly #exact = new Map<string, Target>();
  /** By suffix with its dot: `.example.com`. */
  readonly #suffixes = new Map<string, Target>();
  readonly #default: Target | undefined;

  constructor(routes: readonly Route<Target>[]) {
    for (const { pattern, target } of routes) {
      if (pattern === undefined) this.#default ??= target;
      else if (pattern.startsWith('*.')) this.#suffixes.set(pattern.slice(1), target);
      else this.#exact.set(pattern, target);
    }
  }

  /** @param name undefined: an address, or nothing at all was named. */
  routeOf(name: ServerName | undefined): Target | undefined {
    if (name === undefined) return this.#default;
    const exact = this.#exact.get(name);
    if (exact !== undefined) return exact;
    for (let dot = name.indexOf('.'); dot !== -1; dot = name.indexOf('.', dot + 1)) {
      const covering = this.#suffixes.get(name.slice(dot));
      if (covering !== undefined) return covering;
    }
    return this.#default;
  }
}
