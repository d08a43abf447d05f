/**
 * A table whose rows are brought up to date in place.
 */
import { el, keyed, setAttributes, setSign, setStyle, setText, sign } from './dom.js';
import type { Cell, Row } from './tables.js';

/** @param heads empty: a table of facts, a label and a value a row. */
export function tableView(
  parent: HTMLElement,
  caption: string,
  heads: readonly string[],
  empty: string,
): (rows: readonly Row[]) => void {
  const body = el('tbody');
  const table = el(
    'table',
    { 'data-kind': heads.length === 0 ? 'facts' : 'list' },
    el('caption', {}, caption),
  );
  if (heads.length > 0) {
    table.append(el('thead', {}, el('tr', {}, ...heads.map((head) => el('th', { scope: 'col' }, head)))));
  }
  table.append(body);
  const none = el('p', { class: 'quiet empty' }, empty);
  parent.append(none, el('div', { class: 'scroll' }, table));
  const draw = keyed<Row, { readonly root: HTMLTableRowElement }>(
    body,
    ({ key }) => key,
    ({ cells }) => ({
      root: el(
        'tr',
        {},
        ...cells.map((_, place) =>
          place === 0 ? el('th', { scope: 'row' }) : el('td', { 'data-label': heads[place] }),
        ),
      ),
    }),
    ({ root }, { cells }) => cells.forEach((cell, place) => updateCell(root.cells[place], cell)),
  );
  return (rows) => {
    none.hidden = rows.length > 0;
    table.hidden = rows.length === 0;
    draw(rows);
  };
}

function updateCell(root: HTMLElement | undefined, cell: string | Cell): void {
  if (root === undefined) return;
  const { text, level, bar } = typeof cell === 'string' ? { text: cell } : (cell as Partial<Cell>);
  if (level === undefined && bar === undefined) {
    setText(root, text ?? '');
    return;
  }
  let says = root.querySelector<HTMLElement>('span.says');
  if (says === null) {
    says = el('span', { class: 'says' });
    root.replaceChildren(el('span', {}, ...(level === undefined ? [] : [sign(level)]), says));
  }
  setText(says, text ?? '');
  const shape = root.querySelector('svg');
  if (shape !== null && level !== undefined) setSign(shape, level);
  setAttributes(root, { 'data-bar': bar !== undefined });
  if (bar !== undefined) setStyle(root, '--bar', bar.toFixed(3));
}
