/**
 * The one table of what an administrator can ask for: commands, the control socket, the admin listener and the public doors all
 * read it. What an operation does is with the primary; here is how it is asked for over HTTP.
 *
 * PURE.
 */
import type { WhyReport } from '../diagnosis/report.js';
import type { CertificateList } from '../domain/certificate-list.js';
import type { WorkersExpired } from '../domain/cache-status.js';
import type { ServerName } from '../domain/server-name.js';
import type { Snapshot, StatusReport } from '../domain/status-report.js';
import { typedName } from '../domain/typed-name.js';

/** What each operation takes and gives. */
export interface Operations {
  status: { params: None; result: StatusReport };
  /** `name` as a person typed it; empty: a client without a server name. */
  why: { params: { readonly name: string }; result: WhyReport };
  expireAll: { params: { readonly hard: boolean; readonly workers: boolean }; result: Expired };
  expireDomain: { params: { readonly name: ServerName; readonly workers: boolean }; result: Expired };
  /** Looks a name up, so that it is cached before a client asks. */
  warm: { params: { readonly name: ServerName }; result: Warmed };
  /** The page for a browser. */
  dashboard: { params: None; result: Page };
  /** What the event stream sends once a second. */
  snapshot: { params: None; result: Snapshot };
  /** Prometheus text. */
  metrics: { params: None; result: Page };
  /** Whether the program is alive, and whether it can serve: for whoever restarts it, and for load balancers. */
  healthz: { params: None; result: Page };
  readyz: { params: None; result: Page };
  /** Of those that end within so long (absent: all), so many (absent: 1,000). */
  certificates: {
    params: { readonly withinMs?: number; readonly limit?: number };
    result: CertificateList;
  };
  config: { params: None; result: RunningConfig };
  reload: { params: None; result: Reloaded };
  stop: { params: None; result: { readonly pid: number; readonly drainTimeoutMs: number } };
}

type None = Readonly<Record<string, never>>;

export type OperationName = keyof Operations;

/** What is not JSON. */
export interface Page {
  readonly status: number;
  /** Lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** How many workers were told and have acknowledged, where they were to be told. */
export type Expired = { readonly expired: string } & Partial<WorkersExpired>;

export interface Warmed {
  readonly name: string;
  readonly outcome: 'found' | 'absent' | 'unavailable' | 'pending';
  readonly tier?: string;
  readonly reason?: string;
}

export interface Reloaded {
  readonly ok: boolean;
  /** Flags whose settings have changed, and those of them that need a restart. */
  readonly changed: readonly string[];
  readonly needRestart: readonly string[];
  /** Why nothing has changed. */
  readonly failure?: string;
}

/** What a flag is set to in the program. */
export interface RunningValue {
  readonly flag: string;
  /** Without passwords. */
  readonly values: readonly string[];
  readonly origin: string;
  /** Empty of a default. */
  readonly place: string;
  /** What was given has changed since, or what is in a file that it names. */
  readonly differs?: 'needs reload' | 'needs restart';
}

export interface RunningConfig {
  readonly pid: number;
  readonly values: readonly RunningValue[];
  /** Why a reload would change nothing: then nobody knows what differs. */
  readonly failure?: string;
}

/** What does the work, an operation each. */
export type OperationHandlers = {
  readonly [Op in OperationName]: (params: Operations[Op]['params']) => Promise<Operations[Op]['result']>;
};

/** An operation with its parameters. */
export type Call = {
  [Op in OperationName]: { readonly op: Op; readonly params: Operations[Op]['params'] };
}[OperationName];

interface OperationDefinition<Op extends OperationName> {
  readonly method: 'GET' | 'POST';
  /** One that ends in a slash is followed by a name. */
  readonly path: string;
  /** `control`: on the control socket alone. */
  readonly doors: 'all' | 'control';
  /** It gives a `Page`. */
  readonly isPage?: true;
  /** Where an operation has a short path, this one needs no password: it tells nothing but that. */
  readonly isOpen?: true;
  /** It changes nothing, but asks so much of others that a page of another site may not ask for it. */
  readonly isForOwnSite?: true;
  /** @returns undefined where the name is none. */
  params(rest: string, query: URLSearchParams): Operations[Op]['params'] | undefined;
}

const none = (): None => ({});
const has = (query: URLSearchParams, flag: string): boolean =>
  ['', '1', 'true'].includes(query.get(flag) ?? '0');

export const OPERATIONS: { readonly [Op in OperationName]: OperationDefinition<Op> } = {
  status: { method: 'GET', path: '/status', doors: 'all', params: none },
  why: { method: 'GET', path: '/why/', doors: 'all', isForOwnSite: true, params: (name) => ({ name }) },
  // Its path ends in a slash, since the page asks for all else relative to where it is.
  dashboard: { method: 'GET', path: '/', doors: 'all', isPage: true, params: none },
  snapshot: { method: 'GET', path: '/snapshot', doors: 'all', params: none },
  metrics: { method: 'GET', path: '/metrics', doors: 'all', isPage: true, params: none },
  healthz: { method: 'GET', path: '/healthz', doors: 'all', isPage: true, isOpen: true, params: none },
  readyz: { method: 'GET', path: '/readyz', doors: 'all', isPage: true, isOpen: true, params: none },
  expireAll: {
    method: 'POST',
    path: '/expire/all',
    doors: 'all',
    params: (_, query) => ({ hard: has(query, 'hard'), workers: has(query, 'workers') }),
  },
  expireDomain: {
    method: 'POST',
    path: '/expire/domain/',
    doors: 'all',
    params: (rest, query) => withName(rest, (name) => ({ name, workers: has(query, 'workers') })),
  },
  warm: {
    method: 'POST',
    path: '/warm/',
    doors: 'control',
    params: (rest) => withName(rest, (name) => ({ name })),
  },
  certificates: {
    method: 'GET',
    path: '/certificates',
    doors: 'all',
    params: (_, query) => ({ ...numberIn(query, 'withinMs'), ...numberIn(query, 'limit') }),
  },
  config: { method: 'GET', path: '/config', doors: 'control', params: none },
  reload: { method: 'POST', path: '/reload', doors: 'control', params: none },
  stop: { method: 'POST', path: '/stop', doors: 'control', params: none },
};

/** What a request for an operation comes to. */
export type FoundOperation =
  | { readonly kind: 'call'; readonly call: Call; readonly changes: boolean }
  /** No such path. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'wrong method'; readonly allowed: string }
  | { readonly kind: 'no name' };

/**
 * @param path below the root of the operations: `/why/www.example.com`.
 * @param isControl the request came by the control socket.
 */
export function findOperation(
  method: string,
  path: string,
  query: string,
  isControl: boolean,
): FoundOperation {
  for (const op of Object.keys(OPERATIONS) as OperationName[]) {
    const definition: OperationDefinition<OperationName> = OPERATIONS[op];
    const takesName = definition.path.length > 1 && definition.path.endsWith('/');
    if (takesName ? !path.startsWith(definition.path) : path !== definition.path) continue;
    const rest = decoded(path.slice(definition.path.length));
    if (definition.doors === 'control' && !isControl) return { kind: 'unknown' };
    const isRead = definition.method === 'GET';
    if (method !== definition.method && !(isRead && method === 'HEAD')) {
      return { kind: 'wrong method', allowed: isRead ? 'GET, HEAD' : 'POST' };
    }
    const params = rest === undefined ? undefined : definition.params(rest, new URLSearchParams(query));
    // The compiler does not follow which parameters are of which operation.
    return params === undefined
      ? { kind: 'no name' }
      : { kind: 'call', call: { op, params } as Call, changes: !isRead };
  }
  return { kind: 'unknown' };
}

/** The request line of an operation, for a client of the control socket. */
export function requestOf({ op, params }: Call): { readonly method: string; readonly path: string } {
  const { method, path } = OPERATIONS[op];
  const { name, ...flags } = params as { name?: string } & Record<string, unknown>;
  const query = Object.entries(flags)
    .filter(([, value]) => value === true || typeof value === 'number')
    .map(([flag, value]) => `${flag}=${Number(value)}`)
    .join('&');
  return { method, path: `${path}${encodeURIComponent(name ?? '')}${query === '' ? '' : `?${query}`}` };
}

/** A whole number of a query, as a part of parameters; nothing where it is none. */
function numberIn<Name extends string>(query: URLSearchParams, name: Name): { [Each in Name]?: number } {
  const text = query.get(name) ?? '';
  // The compiler takes a computed key for any.
  return /^\d{1,15}$/.test(text) ? ({ [name]: Number(text) } as { [Each in Name]?: number }) : {};
}

function withName<T>(rest: string, then: (name: ServerName) => T): T | undefined {
  const name = typedName(rest);
  return name === undefined ? undefined : then(name);
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
