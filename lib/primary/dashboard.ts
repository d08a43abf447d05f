/**
 * The dashboard as the doors for administrators serve it: one page, which asks for nothing elsewhere.
 *
 * `npm run build` makes it of `lib/dashboard`. The page asks for `events`, `why/NAME` and `expire/…` relative to its own URL,
 * which therefore has to end in a slash.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';

export interface DashboardPage {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

// `dist` is two folders up from `lib/primary` and from `dist/chunks`, where the build puts this file.
const PAGE = new URL('../../dist/dashboard.html', import.meta.url);
let page: Promise<DashboardPage> | undefined;

/**
 * Reads the page, once a process.
 *
 * Rejects where the file is missing: the package is not built.
 */
export function dashboardPage(): Promise<DashboardPage> {
  page ??= readFile(PAGE, 'utf8').then(withHeaders);
  return page;
}

function withHeaders(text: string): DashboardPage {
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
      'content-security-policy': policy.join('; '),
      'cache-control': 'no-cache',
      'referrer-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
    },
    body: text,
  };
}

/** What the policy calls the one element of this kind, by its content. */
function hashOf(text: string, tag: 'script' | 'style'): string {
  const start = text.indexOf(`<${tag}>`) + tag.length + 2;
  const content = text.slice(start, text.indexOf(`</${tag}>`, start));
  return `'sha256-${createHash('sha256').update(content).digest('base64')}'`;
}
