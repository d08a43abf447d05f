/**
 * A router of the admin routes whose actions do nothing.
 */
import { Authenticator } from '../../../lib/admin/authenticator.js';
import { FailedLogins } from '../../../lib/admin/failed-logins.js';
import { AdminRouter, type AdminRequest, type AdminRouterOptions } from '../../../lib/admin/routes.js';
import { SERVER_NAME } from '../../../lib/admin/routes.js';
import { VERSION } from '../../../lib/base/version.js';
import { readTarget, type RequestTarget } from '../../../lib/domain/request-target.js';
import { silentLogger } from '../../../lib/log/logger.js';

export const ROOT = '/.peter_sslers/nginx/shared_cache';
export const RIGHT = `Basic ${Buffer.from('peter:sslers').toString('base64')}`;
export const WRONG = `Basic ${Buffer.from('peter:wrong').toString('base64')}`;
export const SERVER = { server: SERVER_NAME, server_version: VERSION };

function targetOf(url: string): RequestTarget {
  const target = readTarget(url);
  if (target === undefined) throw new Error(`${url} is no target`);
  return target;
}

/** Knows peter, whose password is sslers, and mary, whose hash is a slow one. */
export const authenticator = (check: () => Promise<boolean>): Authenticator =>
  new Authenticator(
    {
      log: silentLogger,
      failed: new FailedLogins({ log: silentLogger, now: () => 0 }),
      thread: { check },
    },
    'peter:{PLAIN}sslers\nmary:$apr1$abcdefgh$EVwvJdI3p4F1FfKB3Du.h.\n',
  );

/** A router whose actions only note what they were asked. */
export function build(changes: Partial<AdminRouterOptions> = {}, told = {}, hasUsers = true) {
  const calls: unknown[] = [];
  const router = new AdminRouter({
    prefix: '/.peter_sslers',
    hosts: [],
    ...(hasUsers ? { authenticator: authenticator(() => Promise.resolve(false)) } : {}),
    actions: {
      status: () => {
        calls.push('status');
        return Promise.resolve({ valid: ['fresh.example.com'], invalid: ['nope.example.com'], autocert: [] });
      },
      expireAll: ({ hard }) => {
        calls.push(hard ? 'all, hard' : 'all');
        return Promise.resolve(told);
      },
      expireDomain: ({ name }) => {
        calls.push(name);
        return Promise.resolve(told);
      },
      operate: ({ op, params }) => {
        calls.push(`${op} ${JSON.stringify(params)}`);
        return Promise.resolve({ op });
      },
    },
    config: { certCacheDurationMs: 600_000, lruCacheDurationMs: 60_000, lruMaxItems: 200 },
    ...changes,
  });
  const ask = (url: string, request: Partial<AdminRequest> = {}) =>
    router.respond({
      ...{
        method: 'GET',
        target: targetOf(url),
        host: 'any.test',
        authorization: RIGHT,
        client: '192.0.2.1',
        browser: {},
      },
      ...request,
    });
  const owns = (url: string): boolean => router.owns(targetOf(url));
  return { owns, ask, calls };
}
