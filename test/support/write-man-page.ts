/**
 * Writes the manual page: `npm run docs:man`.
 */
import { writeFileSync } from 'node:fs';
import { manPage } from './man-page.js';

writeFileSync(new URL('../../docs/peter-sslers-proxy.1', import.meta.url), manPage());
