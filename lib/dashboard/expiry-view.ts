/**
 * The line of time of certificates, and the list of those that matter.
 */
import type { StatusReport } from '../domain/status-report.js';
import { el, keyed, setAttributes, setSign, setStyle, setText, sign } from './dom.js';
import { EXPIRY_TICKS, expiryMarks, type ExpiryMark } from './expiry.js';
import type { Numbers } from './frame.js';
import { counted, countText } from './text.js';

export function expiryView(
  parent: HTMLElement,
  open: (name: string) => void,
): (status: StatusReport, numbers: Numbers) => void {
  const dots = el('div', { class: 'dots' });
  const ticks = EXPIRY_TICKS.map(({ place, label }) => {
    const tick = el('span', { class: 'tick' }, label);
    setStyle(tick, 'left', `${(place * 100).toFixed(1)}%`);
    return tick;
  });
  const list = el('ul', { class: 'names' });
  const says = el('p', { class: 'lead' });
  const line = el('div', { class: 'timeline', 'aria-hidden': 'true' }, dots, ...ticks);
  parent.append(says, line, list);

  const drawDots = keyed<ExpiryMark, { readonly root: HTMLElement }>(
    dots,
    ({ key }) => key,
    () => ({ root: el('span', { class: 'dot' }) }),
    ({ root }, { place, level, name, says: when }) => {
      setStyle(root, 'left', `${(place * 100).toFixed(2)}%`);
      setAttributes(root, { 'data-level': level, title: name === undefined ? when : `${name} ${when}` });
    },
  );
  const drawNames = keyed(
    list,
    ({ key }: ExpiryMark) => key,
    () => {
      const shape = sign('good');
      const button = el('button', { type: 'button', class: 'name' });
      const when = el('span', { class: 'quiet' });
      button.addEventListener('click', () => open(button.textContent));
      return { root: el('li', {}, shape, button, when), shape, button, when };
    },
    ({ shape, button, when }, mark) => {
      setSign(shape, mark.level);
      setText(button, mark.name ?? '');
      setText(when, mark.says);
    },
  );
  return (status, numbers) => {
    const { expiringCount, outdatedCount } = status.certificates;
    const marks = expiryMarks(status, numbers);
    setText(
      says,
      status.cache.entries === 0
        ? 'No certificate in the cache yet.'
        : `${countText(expiringCount)} of ${counted(status.cache.entries, 'certificate')} in the cache ${expiringCount === 1 ? 'ends' : 'end'} within 14 days${outdatedCount > 0 ? `; ${counted(outdatedCount, 'is', 'are')} outside of the dates` : ''}.`,
    );
    line.hidden = marks.length === 0;
    drawDots(marks);
    drawNames(marks.filter(({ name }) => name !== undefined).slice(0, 40));
  };
}
