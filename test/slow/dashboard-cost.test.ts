/**
 * What a browser that stays on the dashboard has to do: it is left open for days, on screens in a corner.
 */
import { expect } from 'chai';
import { openPage, startBrowser } from '../support/browser.js';
import { startDashboard } from '../support/dashboard-server.js';

interface Changes {
  /** Of texts and attributes. */
  readonly values: number;
  /** Elements that came, and those that went. */
  readonly elements: number;
  /** Lines and areas drawn. */
  readonly strokes: number;
}

/** In calm weather it is 54, none, 36, and one. */
const MAX_AN_EVENT: Changes & { readonly layouts: number } = {
  values: 80,
  elements: 1,
  strokes: 80,
  layouts: 2,
};

/** Counts in the page what is done to it from now on. */
const COUNT_CHANGES = `(() => {
  const changes = (window.changes = { values: 0, elements: 0, strokes: 0 });
  new MutationObserver((records) => {
    for (const { type, addedNodes, removedNodes } of records) {
      const elements = [...addedNodes, ...removedNodes].filter((node) => node instanceof Element).length;
      changes.elements += elements;
      if (elements === 0) changes.values += 1;
    }
  }).observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
  const { prototype } = CanvasRenderingContext2D;
  for (const name of ['stroke', 'fill', 'fillRect', 'strokeRect', 'lineTo']) {
    const { [name]: own } = prototype;
    prototype[name] = function (...values) {
      changes.strokes += 1;
      return own.apply(this, values);
    };
  }
})()`;

describe('The dashboard in a browser', function () {
  this.timeout(120_000);

  it('touches at an event only what the event has changed', async () => {
    // Seconds pass in a tenth of their time.
    await using server = await startDashboard('calm', { stepMs: 100 });
    await using browser = await startBrowser();
    await using opened = await openPage(browser, server.url);
    const { page } = opened;
    await page.waitForSelector('#requests canvas');
    const session = await page.context().newCDPSession(page);
    await session.send('Performance.enable');
    const layouts = async (): Promise<number> => {
      const { metrics } = await session.send('Performance.getMetrics');
      return metrics.find(({ name }) => name === 'LayoutCount')?.value ?? NaN;
    };
    await page.evaluate(COUNT_CHANGES);
    const before = { events: server.events, layouts: await layouts() };
    await page.waitForTimeout(3_000);
    const changes = await page.evaluate<Changes>('window.changes');
    const layoutsSince = (await layouts()) - before.layouts;
    // Behind the counts: what came between them is no reproach.
    const events = server.events - before.events;
    expect(changes.values, 'values').to.be.within(events, MAX_AN_EVENT.values * events);
    expect(changes.strokes, 'strokes').to.be.within(events, MAX_AN_EVENT.strokes * events);
    expect(changes.elements, 'elements').to.be.at.most(MAX_AN_EVENT.elements * events);
    expect(layoutsSince, 'layouts').to.be.at.most(MAX_AN_EVENT.layouts * events);
  });
});
