/**
 * What the system's files say of names: hosts(5), resolv.conf(5), nsswitch.conf(5). PURE.
 */
import { isIP, SocketAddress } from 'node:net';

/** Addresses by name, the names in lower case. */
export type Hosts = ReadonlyMap<string, readonly string[]>;

export function parseHosts(text: string): Hosts {
  const hosts = new Map<string, string[]>();
  for (const line of linesOf(text)) {
    const [written = '', ...names] = line.split(/\s+/);
    const address = plainText(written);
    if (address === undefined) continue;
    for (const name of names) {
      const key = name.toLowerCase();
      const known = hosts.get(key);
      if (known === undefined) hosts.set(key, [address]);
      else if (!known.includes(address)) known.push(address);
    }
  }
  return hosts;
}

/** How a name becomes those that the name servers are asked for. The servers themselves are read by c-ares. */
export interface SearchRules {
  /** Domains that are tried behind a name. */
  readonly domains: readonly string[];
  /** A name with so many dots is asked for as it is first. */
  readonly dots: number;
}

/** The last of `search` and `domain` counts, as for the C library. */
export function parseResolvConf(text: string): SearchRules {
  let domains: readonly string[] = [];
  let dots = 1;
  for (const line of linesOf(text)) {
    const [keyword, ...values] = line.split(/\s+/);
    if (keyword === 'search') domains = values.map(withoutDot).filter((domain) => domain !== '');
    else if (keyword === 'domain') domains = values.slice(0, 1).map(withoutDot);
    else if (keyword === 'options') {
      for (const value of values) dots = Number(/^ndots:(\d{1,2})$/.exec(value)?.[1] ?? dots);
    }
  }
  return { domains, dots };
}

/** What the name servers are asked for, one after the other, until one of it exists. A dot at the end keeps a name as it is. */
export function fullNames(name: string, { domains, dots }: SearchRules): string[] {
  if (name.endsWith('.')) return [withoutDot(name)];
  const searched = domains.map((domain) => `${name}.${domain}`);
  const ownDots = name.split('.').length - 1;
  return ownDots >= dots ? [name, ...searched] : [...searched, name];
}

/** Services that this program does itself. */
const OWN_SERVICES = new Set(['files', 'dns']);

/**
 * Whether the C library also asks somebody for hosts that this program does not: mDNS, systemd, NIS, …
 *
 * @param text empty where there is no such file: musl has none, and asks nobody else.
 */
export function hasOtherServices(text: string): boolean {
  const hosts = linesOf(text).find((line) => line.startsWith('hosts:'));
  if (hosts === undefined) return false;
  const services = hosts
    .slice('hosts:'.length)
    .replaceAll(/\[[^\]]*\]/g, ' ')
    .trim()
    .split(/\s+/);
  return services.some((service) => service !== '' && !OWN_SERVICES.has(service));
}

/** The lines that say something, without their comments. */
function linesOf(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.replace(/[#;].*/, '').trim())
    .filter((line) => line !== '');
}

/** An address as the kernel writes it: a connection's peer is compared with it. */
function plainText(address: string): string | undefined {
  // Without a zone: the kernel writes it by the interface's number.
  const [bare = ''] = address.split('%');
  const version = isIP(bare);
  if (version === 0) return undefined;
  return new SocketAddress({ address: bare, family: version === 6 ? 'ipv6' : 'ipv4' }).address;
}

function withoutDot(name: string): string {
  return name.replace(/\.$/, '');
}
