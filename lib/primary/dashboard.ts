/**
 * The dashboard as the doors for administrators serve it: one page, which asks for nothing elsewhere.
 *
 * `npm run build` makes it of `lib/dashboard`. The page asks for `events`, `status`, `why/NAME` and `expire/…` relative to its own URL,
 * which therefore has to end in a slash.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

export interface DashboardPage {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

// `dist` is two folders up from `lib/primary` and from `dist/chunks`, where the build puts this file.
const PAGE = new URL('../../dist/dashboard.html', import.meta.url);
let page: DashboardPage | undefined;

/**
 * Reads the page, once a process.
 *
 * @throws the file is missing: the package is not built.
 */
export function dashboardPage(): DashboardPage {
  page ??= withHeaders(readFileSync(PAGE));
  return page;
}

function withHeaders(body: Buffer): DashboardPage {
  const text = body.toString('utf8');
  const policy = [
    "default-src 'none'",
    `script-src ${hashOf(text, 'script')}`,
    `style-src ${hashOf(text, 'style')}`,
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ];
  return {
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-length': String(body.length),
      'content-security-policy': policy.join('; '),
      'cache-control': 'no-cache',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
    },
    body,
  };
}

/** What the policy calls the one element of this kind, by its content. */
function hashOf(text: string, tag: 'script' | 'style'): string {
  const start = text.indexOf(`<${tag}>`) + tag.length + 2;
  const content = text.slice(start, text.indexOf(`</${tag}>`, start));
  return `'sha256-${createHash('sha256').update(content).digest('base64')}'`;
}
