/**
 * The settings of HTTP servers, as the program has them when it has read a URL.
 */
import { httpBackend, type HttpBackend } from '../../lib/config/backend-origin.js';
import { parseManagerUrl, Problem } from '../../lib/config/parse.js';
import type { ManagerSettings } from '../../lib/config/settings.js';

/** @param origin `http://host:port` or `https://host:port`. */
export function serverAt(
  origin: string,
  options: { readonly h2?: boolean; readonly socketPath?: string } = {},
): HttpBackend {
  return httpBackend(new URL(origin), options);
}

/** The settings of a manager that its URL has: what `--fallback-server` sets. */
export function managerAt(root: string): Pick<ManagerSettings, 'root' | 'server' | 'prefix'> {
  const settings = parseManagerUrl(root);
  if (settings instanceof Problem) throw new Error(`${root} ${settings.clause}`);
  return settings;
}
