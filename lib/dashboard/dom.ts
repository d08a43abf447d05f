/**
 * Small tools for the document. Text goes in as text, never as markup: names come from strangers.
 */
const SVG = 'http://www.w3.org/2000/svg';

export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;
type Child = Node | string;

export function el<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  setAttributes(element, attributes);
  element.append(...children);
  return element;
}

export function svg<Tag extends keyof SVGElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly Child[]
): SVGElementTagNameMap[Tag] {
  const element = document.createElementNS(SVG, tag);
  setAttributes(element, attributes);
  element.append(...children);
  return element;
}

/** Sets what has changed: `true` an attribute without value, `false` or undefined none. */
export function setAttributes(element: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    const text = value === undefined || value === false ? null : value === true ? '' : String(value);
    if (element.getAttribute(name) === text) continue;
    if (text === null) element.removeAttribute(name);
    else element.setAttribute(name, text);
  }
}

/** Writes only what has changed: a screen reader says it again otherwise, and the browser lays out again. */
export function setText(node: Node, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

/** Sets a property of the style, if it has changed. */
export function setStyle(element: HTMLElement | SVGElement, property: string, value: string): void {
  if (element.style.getPropertyValue(property) !== value) element.style.setProperty(property, value);
}

/** The element of the page with this id. @throws the page has none. */
export function byId(id: string): HTMLElement {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`The page has no ${id}`);
  return element;
}

/** Makes a parent have one child for each item, the same one for the same key, and lets each be brought up to date. */
export function keyed<Item, Made extends { readonly root: Element }>(
  parent: Element,
  keyOf: (item: Item) => string,
  make: (item: Item) => Made,
  update: (made: Made, item: Item) => void,
): (items: readonly Item[]) => void {
  const made = new Map<string, Made>();
  return (items) => {
    const wanted = new Set(items.map(keyOf));
    for (const [key, { root }] of made) {
      if (wanted.has(key)) continue;
      root.remove();
      made.delete(key);
    }
    items.forEach((item, place) => {
      const key = keyOf(item);
      const one = made.get(key) ?? make(item);
      made.set(key, one);
      if (parent.children[place] !== one.root) parent.insertBefore(one.root, parent.children[place] ?? null);
      update(one, item);
    });
  };
}

/** The sign of a level: a shape of its own for each, so that no colour is needed. */
export function sign(level: string): SVGSVGElement {
  const shape = svg('svg', { class: 'sign', viewBox: '0 0 16 16', 'aria-hidden': 'true' });
  setSign(shape, level);
  return shape;
}

const SIGN_PATHS: Readonly<Record<string, string>> = {
  good: 'M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Zm3.6 5.2-4.3 5-3-2.8 1-1.1 1.9 1.7 3.2-3.8Z',
  warn: 'M8 1 .6 14.4h14.8ZM7.2 6h1.6v4.4H7.2Zm0 5.4h1.6V13H7.2Z',
  bad: 'M5 1h6l4 4v6l-4 4H5l-4-4V5Zm.6 3.4L4.4 5.6 6.8 8l-2.4 2.4 1.2 1.2L8 9.2l2.4 2.4 1.2-1.2L9.2 8l2.4-2.4-1.2-1.2L8 6.8Z',
  busy: 'M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Zm0 1.7a5.3 5.3 0 1 1 0 10.6A5.3 5.3 0 0 1 8 2.7Z',
};

export function setSign(shape: SVGSVGElement, level: string): void {
  if (shape.dataset['level'] === level) return;
  shape.dataset['level'] = level;
  shape.replaceChildren(svg('path', { d: SIGN_PATHS[level] ?? SIGN_PATHS['busy'], 'fill-rule': 'evenodd' }));
}
