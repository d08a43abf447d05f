/**
 * The table of flags in docs/flags.md, made from the one table that the program reads.
 */
import { DEFAULTS, FLAG_NAMES, flag } from '../../lib/config/flags.js';

const escape = (text: string): string => text.replaceAll('|', '\\|');

export function flagTable(): string {
  const rows = FLAG_NAMES.map((name) => {
    const { value, description, repeatable, kind } = flag(name);
    const shown = kind === 'boolean' ? `\`--${name}\`` : `\`--${name}\` ${escape(value)}`;
    return `| ${shown}${repeatable === true ? ' …' : ''} | ${escape(DEFAULTS[name])} | ${escape(description)} |`;
  });
  return ['| flag | default | |', '|---|---|---|', ...rows].join('\n');
}
