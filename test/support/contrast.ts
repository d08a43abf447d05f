/**
 * The contrast of all text of a page with the ground that it stands on, as the browser has computed both: WCAG 2.2, 1.4.3.
 */
import type { Page } from 'playwright-core';

export interface TextContrast {
  readonly text: string;
  readonly ratio: number;
}

/** The texts with the least contrast, the worst first. What is hidden is left out. */
export function leastContrast(page: Page): Promise<TextContrast[]> {
  // As text: it runs in the page, whose types the tests do not have.
  return page.evaluate(SCRIPT);
}

const SCRIPT = `(() => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const read = (colours) => {
    canvas.clearRect(0, 0, 1, 1);
    for (const colour of colours) { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); }
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((part) => part / 255).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; (node = walker.nextNode()); ) {
    const element = node.parentElement;
    const text = node.textContent.trim();
    if (text === '' || element.closest('script, style, noscript, caption') || !element.checkVisibility()) continue;
    const grounds = [];
    let opacity = 1;
    for (let one = element; one; one = one.parentElement) {
      const style = getComputedStyle(one);
      grounds.unshift(style.backgroundColor);
      opacity *= Number(style.opacity);
    }
    const ground = read(grounds);
    const own = read([...grounds, getComputedStyle(element).color]);
    const shown = own.map((part, i) => part * opacity + ground[i] * (1 - opacity));
    const [light, dark] = [luminance(shown), luminance(ground)].sort((a, b) => b - a);
    found.push({ text, ratio: (light + 0.05) / (dark + 0.05) });
  }
  return found.sort((a, b) => a.ratio - b.ratio).slice(0, 5);
})()`;
