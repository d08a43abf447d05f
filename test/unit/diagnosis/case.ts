/** What a case of a cause is, and facts that several of them have. */
import type { CauseCode } from '../../../lib/diagnosis/report.js';
import { best, DEFAULT, modern, orders, source, type Scene } from './facts.js';

/** @param command `expire` and `reload` are those of the name. */
export type Case = readonly [code: CauseCode, what: string, scene: Scene, sentence: RegExp, command?: string];

export const byDefault = [modern(DEFAULT)];
export const worker = (changes: object = {}) => ({ pid: 7, isPrimaryLate: false, ...changes });
export const hasIt = source('redis', { candidates: [best()] });
export const none = [source('redis'), source('manager')];
export const ordering = (changes: Parameters<typeof orders>[0]) => [
  source('manager', { orders: orders(changes) }),
];
