/**
 * The admin routes over the wire, asked as the manager asks them: no server name, an address as Host, preemptive Basic
 * authentication.
 *
 *     await using program = await startProgram([...ADMIN_FLAGS]);
 *     const { status, json } = await admin(program, '/nginx/shared_cache/status');
 */
import { fileURLToPath } from 'node:url';
import { request, type RequestOptions, type Response } from './client.js';

/** The manager's own credentials, in its recordings too. */
export const CREDENTIALS = 'peter:sslers';
/** The routes are open to those credentials. */
export const ADMIN_FLAGS = [
  '--admin-user-file',
  fileURLToPath(new URL('../fixtures/admin/htpasswd', import.meta.url)),
] as const;
export const ROOT = '/.peter_sslers/nginx/shared_cache';
/** The fields that every answer of the routes has. */
export const SERVER = { server: 'peter_sslers:openresty', server_version: '0.5.0' } as const;
/** The answer to what is no route. */
export const UNKNOWN_URI = { result: 'error', expired: 'None', reason: 'Unknown URI', ...SERVER } as const;

export interface AdminAnswer extends Response {
  /** The body, where it is JSON. */
  readonly json: Record<string, unknown> | undefined;
}

/** Asks with the right credentials, unless told otherwise. @param path below `ROOT`, or a whole one from `/.` on */
export async function admin(
  { port }: { readonly port: number },
  path: string,
  options: Omit<RequestOptions, 'port' | 'path'> = {},
): Promise<AdminAnswer> {
  const response = await request({
    port,
    path: path.startsWith('/.') ? path : ROOT + path,
    auth: CREDENTIALS,
    ...options,
  });
  const isJson = response.headers['content-type'] === 'application/json' && response.body !== '';
  return { ...response, json: isJson ? (JSON.parse(response.body) as Record<string, unknown>) : undefined };
}
