/**
 * The dashboard in Chromium, with a program that only plays.
 */
import { expect } from 'chai';
import type { Browser } from 'playwright-core';
import { openPage, startBrowser, until, type OpenedPage, type PageOptions } from '../support/browser.js';
import { leastContrast } from '../support/contrast.js';
import { HOSTILE, type PlayState } from '../support/dashboard-play.js';
import { ADMIN_FLAGS, admin, CREDENTIALS } from '../support/admin.js';
import { handshake } from '../support/client.js';
import { startProgram } from '../support/program.js';
import { startDashboard, type DashboardServer } from '../support/dashboard-server.js';

const STATES: readonly PlayState[] = ['calm', 'source down', 'empty', 'hostile'];
const WIDTHS = [360, 768, 1280, 2560];

describe('The dashboard', function () {
  this.timeout(120_000);
  let browser: Browser;
  let server: DashboardServer;

  before(async () => {
    browser = await startBrowser();
  });
  after(() => browser.close());
  afterEach(() => server[Symbol.asyncDispose]());

  /** Seconds pass in a tenth of their time. */
  async function open(state: PlayState, options: PageOptions = {}): Promise<OpenedPage> {
    server = await startDashboard(state, { stepMs: 100, past: 60 });
    const opened = await openPage(browser, server.url, options);
    await opened.page.waitForSelector('[data-feed=live]');
    await opened.page.waitForSelector('[data-id=default]');
    return opened;
  }

  /** The same, with a policy that lets no script in but the page's own, so nothing hostile has run and nothing is missing. */
  const isQuiet = ({ trouble, asked }: OpenedPage): void => {
    expect(trouble).to.deep.equal([]);
    expect(asked.filter((url) => !url.startsWith(server.url) && !url.startsWith('data:'))).to.deep.equal([]);
  };

  it('tells in a headline that all is well, and shows the way of certificates with rates and latencies', async () => {
    await using opened = await open('calm');
    const { page } = opened;
    expect(await page.textContent('#health-text')).to.equal('All well');
    const titles = await page.locator('#way .title').allTextContents();
    expect(titles).to.deep.equal(['Clients', 'LRU', 'PEM cache', '1. Redis', '2. Manager', 'Default']);
    expect(await page.locator('#way .labels').nth(2).innerText()).to.match(/^[\d.]+\/s\s+1\.3 ms$/);
    expect(await page.textContent('[data-id=lru] .value')).to.match(/^1\d\d|2\d\d$/);
    expect(await page.locator('.plot canvas').count()).to.equal(2);
    expect(await page.locator('#certificates .dot').count()).to.be.at.least(10);
    isQuiet(opened);
  });

  it('is brought up to date by each event', async () => {
    await using opened = await open('calm');
    const { page } = opened;
    const before = await page.textContent('#handshakes .total');
    await until(
      page,
      `document.querySelector('#handshakes .total').textContent !== ${JSON.stringify(before)}`,
    );
    server.play.state = 'source down';
    await until(page, `document.getElementById('health-text').textContent.startsWith('Manager is down')`);
    expect(await page.textContent('#health')).to.include('connect ECONNREFUSED 192.0.2.10:7201');
    expect(await page.textContent('[data-id=source-1] .state')).to.equal('skipped');
    expect(await page.title()).to.match(/^! Manager is down/);
    isQuiet(opened);
  });

  it('names the backends with their connections, and what one that is left out has failed with', async () => {
    await using opened = await open('calm');
    const { page } = opened;
    const rows = async (): Promise<string[]> =>
      (await page.locator('#backends tbody tr').allInnerTexts()).map((row) =>
        row.replaceAll(/\s+/g, ' ').trim(),
      );
    expect(await rows()).to.deep.equal([
      'http://192.0.2.21:8080 *.customer-one.example up 19 11',
      'http://192.0.2.22:8080 every other name up 19 11',
    ]);
    expect(await page.innerText('#backend-facts')).to.match(/^up\s+2 of 2$/m);
    server.play.state = 'source down';
    await until(page, `document.getElementById('backends').textContent.includes('left out')`);
    expect((await rows())[0]).to.equal(
      'http://192.0.2.21:8080 *.customer-one.example left out in 2 of 2 workers for 12 s 0 0 connect ECONNREFUSED 192.0.2.21:8080',
    );
    expect(await page.textContent('#health')).to.match(
      /left out after failures\..*http:\/\/192\.0\.2\.21:8080/,
    );
    isQuiet(opened);
  });

  it('says of a program that has just started that it starts, with nothing missing', async () => {
    await using opened = await open('empty');
    const text = await opened.page.innerText('main');
    expect(text)
      .to.include('Starting')
      .and.to.include('No worker yet')
      .and.to.include('No certificate in the cache');
    expect(text).not.to.match(/NaN|undefined|Infinity|null/);
    isQuiet(opened);
  });

  it('draws the way of one name, with the place where it stops, the sentence and the remedy', async () => {
    await using opened = await open('calm');
    const { page } = opened;
    await page.keyboard.press('/');
    await page.keyboard.type('missing.test');
    await page.keyboard.press('Enter');
    await page.waitForSelector('#why-way [data-end]');
    expect(await page.textContent('#why-way [data-end] .title')).to.equal('2. Manager');
    expect(await page.textContent('#why-sentence')).to.match(/^The default certificate is served: no source/);
    expect(await page.textContent('#why-remedy code')).to.equal("--autocert-allow 'missing.test'");
    await page.keyboard.press('Escape');
    expect(await page.isVisible('#why')).to.equal(false);
    await page.fill('#search', 'www.example.com');
    await page.keyboard.press('Enter');
    await page.waitForSelector('#why-way [data-end]');
    expect(await page.textContent('#why-way [data-end] .title')).to.equal('LRU');
    isQuiet(opened);
  });

  it('asks about a name of a list that is clicked', async () => {
    await using opened = await open('calm');
    await opened.page.click('#certificates .names button >> nth=0');
    await opened.page.waitForSelector('#why-way [data-end]');
    expect(server.requests).to.include('GET /why/shop.customer-one.example');
    isQuiet(opened);
  });

  it('expires a name after a dialog that says what happens, in the workers too or not', async () => {
    await using opened = await open('calm');
    const { page } = opened;
    await page.fill('#search', 'a.test');
    await page.keyboard.press('Enter');
    await page.click('#why-expire');
    expect(await page.innerText('#expire'))
      .to.include('Expire a.test?')
      .and.to.include('looked up afresh');
    expect(await page.isChecked('#expire-workers')).to.equal(true);
    await page.click('#expire-confirm');
    await until(page, `document.getElementById('expire-result').textContent.includes('2 of 2 workers')`);
    await page.keyboard.press('Escape');
    await page.click('#expire-all');
    expect(await page.isChecked('#expire-workers')).to.equal(false);
    await page.click('#expire-cancel');
    expect(server.requests.filter((request) => request.startsWith('POST'))).to.deep.equal([
      'POST /expire/domain/a.test?workers=1',
    ]);
    await page.click('#expire-all');
    await page.click('#expire-confirm');
    await until(page, `document.getElementById('expire-result').textContent === 'Everything is expired.'`);
    expect(server.requests.at(-1)).to.equal('POST /expire/all');
    isQuiet(opened);
  });

  it('says what the program answers to what it does not do', async () => {
    await using opened = await open('calm');
    server.failure = 503;
    await opened.page.click('#expire-all');
    await opened.page.click('#expire-confirm');
    const failed = 'Not done. The program answers 503: out of order.';
    await until(opened.page, `document.getElementById('expire-result').textContent === '${failed}'`);
    expect(await opened.page.isEnabled('#expire-confirm')).to.equal(true);
  });

  it('says that the connection is lost, and comes back by itself', async () => {
    await using opened = await open('calm');
    const { page } = opened;
    expect(await page.isVisible('#lost')).to.equal(false);
    server.goDown();
    await page.waitForSelector('#lost:not([hidden])');
    expect(await page.innerText('#lost')).to.match(
      /^Connection lost. What is shown is of \d\d:\d\d:\d\d. Trying again.$/,
    );
    // In a row of tabs the title is all that is seen.
    expect(await page.title()).to.match(/^! Connection lost/);
    server.isDown = false;
    await page.waitForSelector('[data-feed=live]');
    expect(await page.isVisible('#lost')).to.equal(false);
    await until(page, `document.title.startsWith('All well')`);
  });

  it('says that dots are no name, though no path can ask about them', async () => {
    await using opened = await open('calm');
    for (const dots of ['.', '..']) {
      await opened.page.fill('#search', dots);
      await opened.page.keyboard.press('Enter');
      await until(opened.page, `!document.getElementById('why').hidden`);
      await until(opened.page, `!document.getElementById('why').hasAttribute('aria-busy')`);
      expect(await opened.page.textContent('#why-sentence')).to.equal(`"${dots}" is no host name.`);
      await opened.page.keyboard.press('Escape');
    }
    isQuiet(opened);
  });

  it('asks for each snapshot at a door that has no streams', async () => {
    server = await startDashboard('calm');
    server.hasEvents = false;
    await using opened = await openPage(browser, server.url);
    await opened.page.waitForSelector('[data-feed=live]');
    await until(opened.page, `document.getElementById('handshakes').textContent.includes('/s in all')`);
    await until(opened.page, `!document.querySelector('[data-id=lru] .value').textContent.includes('–')`);
    expect(server.requests.filter((request) => request === 'GET /events')).to.have.length(1);
    isQuiet(opened);
  });

  it('shows hostile names as text', async () => {
    await using opened = await open('hostile');
    const { page } = opened;
    expect(await page.textContent('#order-names')).to.include(HOSTILE);
    expect(await page.textContent('#certificates .names')).to.include(HOSTILE);
    expect(await page.textContent('#sources table')).to.include(HOSTILE);
    expect(await page.textContent('#backends table')).to.include(HOSTILE);
    await page.click('#order-names button >> nth=0');
    await page.waitForSelector('#why-way [data-end]');
    expect(await page.textContent('#why-title')).to.equal(HOSTILE);
    await page.click('#why-expire');
    expect(await page.textContent('#expire-title')).to.equal(`Expire ${HOSTILE}?`);
    expect(await page.locator('img').count()).to.equal(0);
    isQuiet(opened);
  });

  for (const scheme of ['light', 'dark'] as const) {
    it(`has text of a contrast of 4.5 or more in every state, ${scheme}`, async () => {
      for (const state of STATES) {
        await using opened = await open(state, { scheme });
        const { page } = opened;
        await page.fill('#search', 'missing.test');
        await page.keyboard.press('Enter');
        await page.waitForSelector('#why-way [data-end]');
        for (const { text, ratio } of await leastContrast(page))
          expect(ratio, `${state}: ${text}`).to.be.at.least(4.5);
        await page.click('#expire-all');
        for (const { text, ratio } of await leastContrast(page))
          expect(ratio, `${state}: ${text}`).to.be.at.least(4.5);
        isQuiet(opened);
        if (state !== STATES.at(-1)) await server[Symbol.asyncDispose]();
      }
    });
  }

  it('is never wider than the window, from a phone to a wall', async () => {
    for (const width of WIDTHS) {
      await using opened = await open('hostile', { width });
      const { page } = opened;
      await page.fill('#search', `missing.${'long-'.repeat(11)}label.test`);
      await page.keyboard.press('Enter');
      await page.waitForSelector('#why-way [data-end]');
      expect(await page.evaluate('document.documentElement.scrollWidth'), String(width)).to.equal(width);
      if (width !== WIDTHS.at(-1)) await server[Symbol.asyncDispose]();
    }
  });

  it('is light or dark as the system, until the switch says otherwise, which is remembered', async () => {
    await using opened = await open('calm', { scheme: 'dark' });
    const { page } = opened;
    const ground = (): Promise<string> => page.evaluate('getComputedStyle(document.body).backgroundColor');
    const dark = await ground();
    await page.emulateMedia({ colorScheme: 'light' });
    const light = await ground();
    expect(light).not.to.equal(dark);
    await page.click('#theme');
    expect(await ground()).to.equal(dark);
    await page.reload();
    expect(await ground()).to.equal(dark);
    isQuiet(opened);
  });

  it('can be used with the keyboard alone, and shows where it is', async () => {
    await using opened = await open('calm');
    const { page } = opened;
    const focused = (): Promise<string> => page.evaluate('document.activeElement.id');
    const seen: string[] = [];
    for (let i = 0; i < 12; i += 1) {
      await page.keyboard.press('Tab');
      seen.push(await focused());
      const outline = await page.evaluate('getComputedStyle(document.activeElement).outlineStyle');
      if (seen.at(-1) !== '') expect(outline, seen.at(-1)).to.equal('solid');
    }
    expect(seen).to.include.members(['search', 'theme', 'expire-all']);
    await page.focus('#expire-all');
    await page.keyboard.press('Enter');
    expect(await focused()).to.equal('expire-cancel');
    await page.keyboard.press('Escape');
    expect(await page.isVisible('#expire')).to.equal(false);
    expect(await focused()).to.equal('expire-all');
    await page.keyboard.press('/');
    expect(await focused()).to.equal('search');
    isQuiet(opened);
  });

  it('moves nothing where reduced motion is asked for', async () => {
    const moving = 'document.getAnimations().filter(({ playState }) => playState === "running").length';
    await using opened = await open('calm', { reducedMotion: true });
    expect(await opened.page.evaluate(moving)).to.equal(0);
    await opened.page.emulateMedia({ reducedMotion: 'no-preference' });
    expect(await opened.page.evaluate(moving)).to.be.greaterThan(0);
  });

  it('is served by the program, with its real numbers, on the admin listener', async () => {
    server = await startDashboard('calm');
    await using program = await startProgram([
      ...['--admin-listen', '127.0.0.1:0', '--backend', 'other.test=http://127.0.0.1:1'],
    ]);
    const { admin } = JSON.parse(program.stdout.split('\n')[0] ?? '') as { admin: string[] };
    await using opened = await openPage(browser, `${admin[0] ?? ''}/`);
    const { page, trouble } = opened;
    await page.waitForSelector('[data-feed=live]');
    await handshake({ port: program.port, servername: 'a.localhost' });
    await until(page, `/[1-9]/.test(document.querySelector('[data-id=cache] .notes').textContent)`);
    await until(page, `document.getElementById('health-text').textContent === 'All well'`);
    expect(await page.locator('#way .title').allTextContents()).to.include('1. Internal CA');
    await until(page, `document.getElementById('backends').textContent.includes('http://127.0.0.1:1')`);
    await page.fill('#search', 'a.localhost');
    await page.keyboard.press('Enter');
    await page.waitForSelector('#why-way [data-end]');
    expect(await page.textContent('#why-way [data-end] .title')).to.be.oneOf(['LRU', 'PEM cache']);
    await page.click('#why-expire');
    await page.click('#expire-confirm');
    await until(
      page,
      `document.getElementById('expire-result').textContent.includes('a.localhost is expired.')`,
    );
    expect(trouble).to.deep.equal([]);
    expect(await page.innerText('main')).not.to.match(/NaN|undefined|Infinity/);
  });

  it('is served by the program on the public listeners, over TLS, behind a password', async () => {
    server = await startDashboard('calm');
    await using program = await startProgram([...ADMIN_FLAGS]);
    const path = '/.peter_sslers/proxy/';
    for (const auth of ['', 'peter:wrong'])
      expect((await admin(program, path, { auth })).status, auth).to.equal(401);
    const [username = '', password = ''] = CREDENTIALS.split(':');
    const root = `https://127.0.0.1:${program.port}${path}`;
    const options = { httpCredentials: { username, password }, ignoreHTTPSErrors: true };
    await using opened = await openPage(browser, root, options);
    const { page, trouble, asked } = opened;
    await page.waitForSelector('[data-feed=live]');
    await until(page, `document.getElementById('health-text').textContent === 'All well'`);
    await handshake({ port: program.port, servername: 'a.localhost' });
    await until(page, `/[1-9]/.test(document.querySelector('[data-id=cache] .notes').textContent)`);
    await page.fill('#search', 'a.localhost');
    await page.keyboard.press('Enter');
    await page.waitForSelector('#why-way [data-end]');
    expect(await page.textContent('#why-way [data-end] .title')).to.be.oneOf(['LRU', 'PEM cache']);
    await page.click('#why-expire');
    await page.click('#expire-confirm');
    const said = `document.getElementById('expire-result').textContent.includes('a.localhost is expired.')`;
    await until(page, said);
    expect(trouble).to.deep.equal([]);
    expect(asked.filter((url) => !url.startsWith(root) && !url.startsWith('data:'))).to.deep.equal([]);
    expect(asked.filter((url) => url === `${root}events`)).to.have.length(1);
    expect(await page.innerText('main')).not.to.match(/NaN|undefined|Infinity/);
  });

  it('asks for nothing while it is hidden, and its title says so', async () => {
    await using opened = await open('calm');
    const { page } = opened;
    await page.evaluate(`
      Object.defineProperty(document, 'hidden', { configurable: true, get: () => true });
      document.dispatchEvent(new Event('visibilitychange'));`);
    await page.waitForSelector('[data-feed=paused]');
    while (server.streams > 0) await page.waitForTimeout(20);
    expect(await page.title()).to.match(/^Paused/);
    await page.evaluate(`
      delete document.hidden;
      document.dispatchEvent(new Event('visibilitychange'));`);
    await page.waitForSelector('[data-feed=live]');
    expect(server.streams).to.equal(1);
    await until(page, `document.title.startsWith('All well')`);
    isQuiet(opened);
  });
});
