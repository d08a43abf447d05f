/**
 * Writes the configuration file of the Debian package: `npm run docs:flags`.
 */
import { writeFileSync } from 'node:fs';
import { configTemplate } from './config-template.js';

writeFileSync(new URL('../../deploy/debian/config.yaml', import.meta.url), configTemplate());
