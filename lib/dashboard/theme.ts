/**
 * Light or dark: as the system has it, or as the switch says, which is remembered where the browser lets a page do so.
 */
import { setText } from './dom.js';

const KEY = 'peter-sslers-proxy theme';
const dark = window.matchMedia('(prefers-color-scheme: dark)');

function remembered(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

function remember(theme: string): void {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // It holds until the page is loaded again.
  }
}

const current = (): string => document.documentElement.dataset['theme'] ?? (dark.matches ? 'dark' : 'light');

/** @param changed called whenever the colours are others. */
export function themeSwitch(button: HTMLElement, changed: () => void): void {
  const show = (): void => {
    setText(button, current() === 'dark' ? 'Light' : 'Dark');
    changed();
  };
  const saved = remembered();
  if (saved === 'dark' || saved === 'light') document.documentElement.dataset['theme'] = saved;
  button.addEventListener('click', () => {
    const next = current() === 'dark' ? 'light' : 'dark';
    document.documentElement.dataset['theme'] = next;
    remember(next);
    show();
  });
  dark.addEventListener('change', show);
  show();
}

/** A colour of the style sheet, as a canvas takes it. */
export function colour(name: string): string {
  const probe = document.documentElement.appendChild(document.createElement('span'));
  probe.style.color = `var(--${name})`;
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}
