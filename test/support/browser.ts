/**
 * Debian's Chromium, without a window, as playwright-core drives it.
 *
 *     await using opened = await openPage(browser, server.url, { width: 360 });
 *     await opened.page.click('#expire-all');
 *     expect(opened.trouble).to.deep.equal([]);
 */
import { chromium, type Browser, type Page } from 'playwright-core';
import { findProgram } from './find-program.js';

export function startBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: findProgram('chromium', 'chromium'),
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
  });
}

export interface PageOptions {
  readonly width?: number;
  readonly scheme?: 'light' | 'dark';
  readonly reducedMotion?: boolean;
  /** Given to whoever asks for a password. */
  readonly httpCredentials?: { readonly username: string; readonly password: string };
  /** No certificate is verified. */
  readonly ignoreHTTPSErrors?: boolean;
}

export interface OpenedPage extends AsyncDisposable {
  readonly page: Page;
  /** What the page's console has of errors and warnings, and what it has thrown. */
  readonly trouble: string[];
  /** Every URL that it has asked for. */
  readonly asked: string[];
}

export async function openPage(
  browser: Browser,
  url: string,
  options: PageOptions = {},
): Promise<OpenedPage> {
  const { width = 1280, scheme = 'light', reducedMotion = false, ...ofContext } = options;
  const context = await browser.newContext({
    ...ofContext,
    viewport: { width, height: 900 },
    colorScheme: scheme,
    reducedMotion: reducedMotion ? 'reduce' : 'no-preference',
  });
  const page = await context.newPage();
  const trouble: string[] = [];
  const asked: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) trouble.push(message.text());
  });
  page.on('pageerror', ({ message }) => trouble.push(message));
  page.on('dialog', (dialog) => {
    trouble.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('request', (request) => asked.push(request.url()));
  await page.goto(url);
  return { page, trouble, asked, [Symbol.asyncDispose]: () => context.close() };
}

/** Waits until an expression is true in the page. Playwright's own way needs a policy that lets pages run text as code. */
export async function until(page: Page, expression: string): Promise<void> {
  while (!(await page.evaluate<boolean>(expression))) await page.waitForTimeout(20);
}
