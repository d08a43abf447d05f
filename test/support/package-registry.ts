/**
 * A registry of npm packages on this machine: it has what is in `node_modules`, so that an installation needs no network.
 */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);
/** A package is a few megabytes at the most. */
const MAX_BUFFER = 64 * 1024 * 1024;

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly scripts?: Readonly<Record<string, string>>;
}

interface Package {
  readonly dir: string;
  readonly manifest: Manifest;
}

export class PackageRegistry implements AsyncDisposable {
  /** What has been asked for by name. */
  readonly asked = new Set<string>();
  readonly #packages: readonly Package[];
  readonly #server: Server;

  private constructor(packages: readonly Package[]) {
    this.#packages = packages;
    this.#server = createServer((request, response) => {
      this.#answer(decodeURIComponent(request.url ?? '').slice(1)).then(
        (body) => response.end(body),
        (error: unknown) => response.writeHead(404).end(String(error)),
      );
    });
  }

  /** Offers the production dependencies of a folder with a `node_modules`. */
  static async start(root: string): Promise<PackageRegistry> {
    const list = await execute('npm', ['ls', '--offline', '--omit=dev', '--all', '--parseable'], {
      cwd: root,
    });
    const dirs = list.stdout.trim().split('\n').slice(1);
    const packages = await Promise.all(
      dirs.map(async (dir) => ({
        dir,
        manifest: JSON.parse(await readFile(join(dir, 'package.json'), 'utf8')) as Manifest,
      })),
    );
    const registry = new PackageRegistry(packages);
    await new Promise<void>((listening) => registry.#server.listen(0, '127.0.0.1', listening));
    return registry;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  /** `NAME` is what there is of a package; `NAME@VERSION` is one of them. */
  async #answer(path: string): Promise<string | Buffer> {
    const [, name = '', version] = /^(.+?)(?:@([^@]+))?$/.exec(path) ?? [];
    const versions = this.#packages.filter(({ manifest }) => manifest.name === name);
    if (version === undefined) {
      this.asked.add(name);
      if (versions.length === 0) throw new Error(`no package ${name}`);
      return JSON.stringify({
        name,
        'dist-tags': { latest: versions[0]?.manifest.version },
        versions: Object.fromEntries(
          versions.map(({ manifest }) => [
            manifest.version,
            { ...manifest, dist: { tarball: `${this.url}${name}@${manifest.version}` } },
          ]),
        ),
      });
    }
    const found = versions.find(({ manifest }) => manifest.version === version);
    if (found === undefined) throw new Error(`no package ${path}`);
    const { stdout } = await execute(
      'tar',
      ['-czf', '-', '-C', found.dir, '--exclude=./node_modules', '--transform=s,^\\.,package,', '.'],
      { encoding: 'buffer', maxBuffer: MAX_BUFFER },
    );
    return stdout;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((closed) => this.#server.close(closed));
  }
}
