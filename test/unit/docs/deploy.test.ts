/**
 * The files below deploy/ fit together, and the program takes the settings in them. No container engine runs here.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

import { expect } from 'chai';
import { parse, parseAllDocuments } from 'yaml';
import { OPERATIONS } from '../../../lib/admin/operations.js';
import { loadSettings, type Loaded } from '../../../lib/config/load.js';

const ROOT = new URL('../../../', import.meta.url);
const textOf = (path: string): string => readFileSync(new URL(path, ROOT), 'utf8');

/** What the program makes of a configuration file and an environment. */
function load(
  config: string,
  env: Readonly<Record<string, string>> = {},
  files: Readonly<Record<string, string>> = {},
): Loaded {
  const flags = { config: ['/config.yaml'] };
  const readFile = (path: string): string => files[path] ?? config;
  return loadSettings({ flags, env, readFile, cwd: '/', cpuCount: 2, nowMs: Date.now() });
}

interface Probe {
  readonly httpGet: { readonly port: string; readonly path: string };
}

interface Container {
  readonly image: string;
  readonly args: string[];
  readonly ports: { readonly name: string; readonly containerPort: number }[];
  readonly startupProbe: Probe;
  readonly readinessProbe: Probe;
  readonly livenessProbe: Probe;
  readonly volumeMounts: { readonly name: string; readonly mountPath: string }[];
}

interface PodSpec {
  readonly terminationGracePeriodSeconds: number;
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly containers: [Container];
}

interface Manifest {
  readonly kind: string;
  readonly data: Readonly<Record<string, string>>;
  readonly spec: {
    readonly template: { readonly spec: PodSpec };
    readonly ports: { readonly targetPort: string }[];
  };
}

describe('The container image', () => {
  const dockerfile = textOf('deploy/container/Dockerfile');
  const config = textOf('deploy/container/config.yaml');

  it('is made of files that there are, and that the build is given', () => {
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, paths = '']) =>
      paths.split(' '),
    );
    expect(copied.length).to.be.greaterThan(6);
    const given = textOf('deploy/container/Dockerfile.dockerignore').split('\n');
    for (const path of copied) {
      expect(existsSync(new URL(path, ROOT)), path).to.equal(true);
      expect(given).to.include(`!${path}`);
    }
  });

  it('listens on a port that it exposes and asks about, and keeps state in its volume', () => {
    const { settings, warnings } = load(config);
    expect(warnings).to.deep.equal([]);
    expect(settings.listen).to.deep.equal([{ host: '0.0.0.0', port: 8443 }]);
    expect(dockerfile).to.match(/^EXPOSE 8443 /m);
    expect(textOf('deploy/container/healthcheck.mjs')).to.contain('HEALTHCHECK_PORT ?? 8443');
    expect(dockerfile).to.contain(`\nVOLUME ${settings.stateDir}\n`);
  });

  it('does not run as root', () => {
    expect(dockerfile).to.match(/^USER [1-9]\d*:[1-9]\d*$/m);
  });

  it('takes the settings that compose.yaml gives it', () => {
    const { services } = parse(textOf('deploy/container/compose.yaml')) as {
      services: { proxy: { environment: Record<string, string>; ports: string[] } };
    };
    const { settings, warnings } = load(config, services.proxy.environment);
    expect(warnings).to.deep.equal([]);
    const ports = [...settings.listen, ...settings.httpListen].map(
      (address) => 'port' in address && address.port,
    );
    expect(services.proxy.ports.map((pair) => Number(pair.split(':')[1]))).to.deep.equal(ports);
  });
});

describe('The Kubernetes manifest', () => {
  const manifests = parseAllDocuments(textOf('deploy/kubernetes/peter-sslers-proxy.yaml')).map(
    (document) => document.toJS() as Manifest,
  );
  const of = (kind: string): Manifest => manifests.find((manifest) => manifest.kind === kind)!;
  const pod = of('Deployment').spec.template.spec;
  const [container] = pod.containers;

  it('has settings that the program takes, on ports that the pod names and the service uses', () => {
    const admin = container.volumeMounts.find(({ name }) => name === 'admin')!.mountPath;
    const files = { [`${admin}/htpasswd`]: 'operator:{PLAIN}secret' };
    const { settings, warnings } = load(of('ConfigMap').data['config.yaml'] ?? '', {}, files);
    expect(warnings).to.deep.equal([]);
    expect(settings.admin.htpasswd).to.equal(files[`${admin}/htpasswd`]);
    const ports = [...settings.listen, ...settings.httpListen, ...settings.admin.listen].map(
      (address) => 'port' in address && address.port,
    );
    expect(container.ports.map(({ containerPort }) => containerPort)).to.deep.equal(ports);
    const names = container.ports.map(({ name }) => name);
    // Administration is not for the load balancer's clients.
    expect(of('Service').spec.ports.map(({ targetPort }) => targetPort)).to.deep.equal(
      names.filter((name) => name !== 'admin'),
    );
    const { startupProbe, readinessProbe, livenessProbe } = container;
    const asked = [startupProbe, readinessProbe, livenessProbe].map(({ httpGet }) => httpGet);
    expect(new Set(asked.map(({ port }) => port))).to.deep.equal(new Set(['admin']));
    for (const { path } of asked)
      expect(OPERATIONS[path.slice(1) as 'healthz' | 'readyz'].isOpen).to.equal(true);
    expect(pod.terminationGracePeriodSeconds * 1000).to.be.greaterThan(settings.drainTimeoutMs);
  });

  it('runs the user of the image', () => {
    const [, user] = /^USER (\d+):/m.exec(textOf('deploy/container/Dockerfile')) ?? [];
    expect(pod.securityContext).to.include({ runAsNonRoot: true, runAsUser: Number(user) });
  });

  it('is of the version of the package', () => {
    const { version } = JSON.parse(textOf('package.json')) as { version: string };
    expect(container.image).to.equal(`peter-sslers-proxy:${version}`);
  });
});

describe('docs/install.md', () => {
  const page = textOf('docs/install.md');

  it('has commands that a shell can read', () => {
    const commands = [...page.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, text = '']) => text);
    expect(commands.length).to.be.greaterThan(6);
    for (const command of commands) execFileSync('sh', ['-n'], { input: command });
  });

  it('names files that there are, and the version of the package', () => {
    const paths = [...page.matchAll(/\b(?:deploy|test)\/[\w./-]+\.\w+/g)].map(([path]) => path);
    expect(paths.length).to.be.greaterThan(6);
    for (const path of paths) expect(existsSync(new URL(path, ROOT)), path).to.equal(true);
    const { version } = JSON.parse(textOf('package.json')) as { version: string };
    for (const [, named] of page.matchAll(/peter-sslers-proxy[-_:](\d[\d.]*\d)/g))
      expect(named).to.equal(version);
  });

  it('has a configuration file that the program takes', () => {
    const [, config = ''] = /```yaml\n([\s\S]*?)```/.exec(page) ?? [];
    expect(load(config).warnings).to.deep.equal([]);
  });
});
