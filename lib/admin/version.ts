/**
 * What the admin routes call themselves. The manager wants this name, and a Major.Minor equal to its own.
 */
import { createRequire } from 'node:module';

// The package's root is two folders up from lib/admin and from dist/admin alike.
const { version } = createRequire(import.meta.url)('../../package.json') as { version: string };

export const SERVER_VERSION: string = version;
export const SERVER_NAME = 'peter_sslers:openresty';
