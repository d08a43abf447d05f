/**
 * The settings of what passes through: routes, header fields, limits, the access log. PURE.
 */
import { resolve } from 'node:path';
import { ACCESS_LOG_FIELD_NAMES } from './access-log-fields.js';
import type { FlagName } from './flags.js';
import type { GivenFlags } from './precedence.js';
import { parseChoice, parseCidr, parseHsts, Problem } from './parse.js';
import { parseBackend, routesOf } from './routes.js';
import { readPlain } from './plain-settings.js';
import type { AccessLogSettings, RouteSettings, Settings } from './settings.js';

export type TrafficSettings = Pick<
  Settings,
  | 'acceptProxyProtocol'
  | 'routes'
  | 'sendProxyProtocol'
  | 'unknownName'
  | 'http2Engine'
  | 'headers'
  | 'limits'
  | 'accessLog'
>;

/**
 * @param cwd what the access log's path is relative to.
 * @param warnings takes a sentence for each flag without effect.
 * @throws ProxyError ERR_USAGE: in one sentence, the first thing that is wrong.
 */
export function trafficSettings(given: GivenFlags, cwd: string, warnings: string[]): TrafficSettings {
  const routes = routeSettings(given);
  const sendProxyProtocol = given.one('send-proxy-protocol', (text) =>
    parseChoice(text, ['v1', 'v2'] as const),
  );
  const withoutEffect = (name: FlagName, needed: string): void => {
    warnings.push(`${given.label(name)} has no effect without ${needed}`);
  };
  if (sendProxyProtocol !== undefined && !routes.some(({ backends }) => backends[0].kind === 'tcp')) {
    withoutEffect('send-proxy-protocol', 'a tcp backend');
  }
  const accessLog = accessLogSettings(given, cwd);
  if (accessLog === undefined && given.has('access-log-format')) {
    withoutEffect('access-log-format', '--access-log');
  }
  if (given.has('access-log-field') && accessLog?.format !== 'json') {
    withoutEffect('access-log-field', '--access-log and --access-log-format json');
  }
  const hsts = given.one('hsts', parseHsts);
  return {
    acceptProxyProtocol: unique(given.list('accept-proxy-protocol', parseCidr)),
    routes,
    ...(sendProxyProtocol !== undefined && { sendProxyProtocol }),
    unknownName: given.choice('unknown-name', ['serve', '421', 'reject'] as const),
    http2Engine: given.choice('http2-engine', ['own', 'node'] as const),
    headers: {
      trustedProxies: unique(given.list('trusted-proxies', parseCidr)),
      via: given.boolean('via'),
      forwardTlsInfo: given.boolean('forward-tls-info'),
      ...(hsts !== undefined && { hsts }),
    },
    limits: readPlain('limits', (name) => given.plain(name)),
    ...(accessLog && { accessLog }),
  };
}

function routeSettings(given: GivenFlags): RouteSettings[] {
  const routes = routesOf(given.list('backend', parseBackend));
  return routes instanceof Problem ? given.fail('backend', routes.clause) : routes;
}

function accessLogSettings(given: GivenFlags, cwd: string): AccessLogSettings | undefined {
  const format = given.choice('access-log-format', ['common', 'combined', 'json'] as const);
  const target = given.one('access-log', (text) => text);
  const fields = unique(given.list('access-log-field', (text) => parseChoice(text, ACCESS_LOG_FIELD_NAMES)));
  if (target === undefined) return undefined;
  return {
    ...(target !== '-' && { file: resolve(cwd, target) }),
    format,
    ...(fields.length > 0 && format === 'json' && { fields }),
  };
}

function unique<T extends string>(values: readonly T[]): T[] {
  return [...new Set(values)];
}
