/**
 * Request fields that only a proxy may set: who the client is, how it came, as which user it is known. PURE.
 *
 * Backends believe them, so they are dropped unless a trusted proxy sent them. Fields with trace ids pass: they grant nothing.
 */

/** One kind of claim. */
export interface Claim {
  /** Lower case. A star at the end matches any ending. */
  readonly names: readonly string[];
  /** What is claimed, and who says it or listens to it. */
  readonly why: string;
}

/** What clients may not claim. `docs/request-fields.md` has the same table. */
export const CLAIMS: readonly Claim[] = [
  // The client, its host, its scheme
  {
    names: ['x-forwarded-*', 'x-forwarded', 'forwarded', 'forwarded-*'],
    why: 'the way to here: RFC 7239, HAProxy, nginx, Apache, Traefik, Caddy, Envoy; OAuth2 Proxy has the user in some of them',
  },
  { names: ['x-real-ip', 'x-real-port'], why: 'client address: nginx (ngx_http_realip_module), Traefik' },
  {
    names: ['client-ip', 'x-client-ip', 'x-cluster-client-ip', 'proxy-client-ip', 'x-originating-ip'],
    why: 'client address: Apache mod_remoteip, Rackspace and Riverbed balancers, Rails, PHP and Java applications',
  },
  { names: ['true-client-ip'], why: 'client address: Akamai, Cloudflare' },
  {
    names: [
      'cf-connecting-*',
      'cf-pseudo-ipv4',
      'cf-visitor',
      'cf-ipcountry',
      'cf-access-authenticated-user-*',
    ],
    why: 'client address, scheme, country and user: Cloudflare',
  },
  {
    names: ['fastly-client-ip', 'fastly-ssl', 'fly-client-ip', 'do-connecting-ip', 'ali-cdn-real-ip'],
    why: 'client address and scheme: Fastly, Fly.io, DigitalOcean, Alibaba Cloud',
  },
  {
    names: ['x-azure-*', 'x-appengine-*', 'x-proxyuser-ip', 'x-nf-client-connection-ip'],
    why: 'client address, place and user, or that the request has come through it: Azure Front Door, Google App Engine, Google, Netlify',
  },
  { names: ['x-envoy-*'], why: 'client address, retries, time-outs: Envoy drops them from outside too' },
  { names: ['wl-proxy-*'], why: 'client address, TLS and client certificate: the WebLogic plug-ins' },
  {
    names: ['x-scheme', 'x-url-scheme', 'front-end-https'],
    why: 'scheme: Traefik, ingress-nginx, Microsoft TMG and IIS',
  },
  // The target
  {
    names: ['x-original-url', 'x-original-uri', 'x-original-method', 'x-rewrite-url', 'x-script-name'],
    why: 'what was asked for before it was rewritten: IIS, ingress-nginx, Symfony (CVE-2018-14773), WSGI',
  },
  {
    names: [
      'x-original-for',
      'x-original-proto',
      'x-original-host',
      'x-original-prefix',
      'x-original-forwarded-*',
    ],
    why: 'the way to here before that was rewritten: ASP.NET Core, ingress-nginx',
  },
  { names: ['x-host', 'x-http-host-override'], why: 'another host than Host: Ruby and PHP frameworks' },
  // Client certificates
  { names: ['client-cert', 'client-cert-*', 'client-certificate'], why: 'client certificate: RFC 9440' },
  {
    names: ['x-ssl', 'x-ssl-*', 'ssl-*', 'x-tls-*', 'tls-client-*', 'x-mtls-*'],
    why: 'TLS and client certificate: HAProxy, nginx, ingress-nginx, Apache mod_ssl, Tomcat SSLValve',
  },
  {
    names: ['x-client-cert*', 'x-client-dn', 'x-client-cn', 'x-client-verify*', 'x-client-ssl-*'],
    why: 'client certificate: configurations of nginx and HAProxy',
  },
  {
    names: ['x-arr-*'],
    why: 'TLS and client certificate: IIS Application Request Routing, Azure App Service',
  },
  {
    names: ['x-amzn-mtls-*', 'x-amzn-tls-*', 'x-amzn-oidc-*'],
    why: 'client certificate, TLS and user: Amazon’s Application Load Balancer',
  },
  // Users
  {
    names: ['remote-*', 'x-remote-*'],
    why: 'user, groups and address: CGI (RFC 3875) by way of proxies, Authelia, Caddy, Kubernetes',
  },
  { names: ['x-auth-request-*'], why: 'user, groups, tokens: OAuth2 Proxy behind nginx' },
  {
    names: ['x-webauth-*', 'x-authentik-*', 'x-vouch-*', 'x-pomerium-*', 'x-authenticated-*', 'tailscale-*'],
    why: 'user: Grafana’s auth proxy, authentik, Vouch, Pomerium, Kong, Tailscale',
  },
  { names: ['x-consumer-*', 'x-credential-identifier', 'x-anonymous-consumer'], why: 'user: Kong' },
  {
    names: ['x-goog-authenticated-user-*', 'x-ms-client-principal*', 'oidc-*', 'shib-*'],
    why: 'user: Google IAP, Azure App Service, mod_auth_openidc, Shibboleth',
  },
  // How files are sent
  {
    names: ['x-sendfile-type', 'x-accel-*'],
    why: 'how to have files sent: Rack (CVE-2025-61780), Plack, nginx',
  },
];

/** Never passed on: CGI turns it into HTTP_PROXY, where libraries look for a proxy to use (CVE-2016-5385). */
export const NEVER_PASSES = 'proxy';

/** Fields that this proxy sets itself, extending or replacing what a trusted proxy has sent. */
const SAID_HERE = new Set([
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-tls-name',
  'x-forwarded-tls-protocol',
  'x-forwarded-tls-cipher',
  'forwarded',
  'x-real-ip',
]);

const EXACT = new Set<string>();
const BEGINNINGS: string[] = [];
for (const name of CLAIMS.flatMap(({ names }) => names)) {
  if (name.endsWith('*')) BEGINNINGS.push(name.slice(0, -1));
  else EXACT.add(name);
}

/**
 * A name as gateways see it that turn fields into variables (CGI, WSGI, FastCGI): they write `_` for `-`, and some for everything
 * but letters and digits, so that `X_Forwarded_For` and `X.Forwarded.For` are the same to them.
 */
export function asVariable(lowerCaseName: string): string {
  return lowerCaseName.replace(/[^a-z0-9]/g, '-');
}

/** @param variable as `asVariable` has it. */
export function isClaim(variable: string): boolean {
  return EXACT.has(variable) || BEGINNINGS.some((beginning) => variable.startsWith(beginning));
}

/** @param variable as `asVariable` has it. */
export function isSaidHere(variable: string): boolean {
  return SAID_HERE.has(variable);
}
