/**
 * The configuration file that the Debian package installs: every setting, commented out, made from the one table that the program
 * reads.
 */
import { stringify } from 'yaml';
import { DEFAULTS, FLAG_NAMES, flag, type FlagName } from '../../lib/config/flags.js';

/** Where the package has its things; the unit makes the directories. */
const ETC = '/etc/peter-sslers-proxy';
const STATE = '/var/lib/peter-sslers-proxy';
const LOGS = '/var/log/peter-sslers-proxy';
const RUN = '/run/peter-sslers-proxy';

/** Of what has no default, or one that is not a value. */
const EXAMPLES: Partial<Record<FlagName, string | number | readonly string[]>> = {
  'http-listen': ['0.0.0.0:80', '[::]:80'],
  'challenge-server': ['http://127.0.0.1:7201', 'http://127.0.0.1:7202'],
  'accept-proxy-protocol': ['10.0.0.0/8'],
  'default-cert': [`${ETC}/default.pem`],
  'default-key': [`${ETC}/default.key`],
  backend: ['http://127.0.0.1:8080', 'www.example.com=http://127.0.0.1:8081'],
  'send-proxy-protocol': 'v2',
  'trusted-proxies': ['10.0.0.0/8'],
  hsts: 'max-age=31536000',
  'access-log': `${LOGS}/access.log`,
  'access-log-field': ['time', 'client', 'host', 'status', 'ms', 'tier', 'reason'],
  'fallback-server': 'http://127.0.0.1:7201/.well-known/peter_sslers',
  'fallback-ca': `${ETC}/manager-ca.pem`,
  'fallback-credentials': `${ETC}/manager-credentials`,
  'autocert-ask': 'http://127.0.0.1:9000/may-order',
  'cert-dir': '/etc/letsencrypt/live',
  'internal-ca': `${STATE}/ca`,
  workers: 2,
  'admin-user-file': `${ETC}/htpasswd`,
  'admin-host': ['proxy.example.com'],
  'admin-listen': ['127.0.0.1:8444'],
  'control-socket': `${RUN}/control.sock`,
  'pid-file': `${RUN}/pid`,
  'log-file': `${LOGS}/error.log`,
};

/** The one setting that is not commented out: nobody may write into the working directory of a service. */
const SET: Partial<Record<FlagName, string>> = { 'state-dir': STATE };

const HEAD = `\
# The settings of peter-sslers-proxy. Each is commented out, with its default or, where that is not a value, an example. What stands here is
# without dashes what the flags of the command line are: docs/flags.md in /usr/share/doc/peter-sslers-proxy has more of them.
#
# After a change: systemctl reload peter-sslers-proxy. A mistake is one line in its journal, and all stays as it was.
`;

/** The text of the file. */
export function configTemplate(): string {
  return [HEAD, ...FLAG_NAMES.filter((name) => name !== 'config').map(entry)].join('\n');
}

function entry(name: FlagName): string {
  const set = SET[name];
  if (set !== undefined) return `# ${about(name)} (default: ${DEFAULTS[name]})\n${line(name, set)}`;
  const value = defaultOf(name);
  if (value !== undefined) return `# ${about(name)}\n#${line(name, value)}`;
  const example = EXAMPLES[name];
  if (example === undefined)
    throw new Error(`--${name} has no default: give it an example in test/support/config-template.ts`);
  return `# ${about(name)} (default: ${DEFAULTS[name]})\n#${line(name, example)}`;
}

type Value = string | number | boolean | readonly string[];

/** As the file would have it. */
function defaultOf(name: FlagName): Value | undefined {
  const { default: value, kind } = flag(name);
  if (kind === 'bytes') return DEFAULTS[name];
  return typeof value === 'object' && value.length === 0 ? undefined : value;
}

function about(name: FlagName): string {
  const { description, choices } = flag(name);
  return choices === undefined || choices.every((choice) => description.includes(choice))
    ? description
    : `${description} (one of ${choices.join(', ')})`;
}

function line(name: FlagName, value: Value): string {
  return stringify(
    { [name]: value },
    { collectionStyle: 'flow', singleQuote: true, lineWidth: 0, flowCollectionPadding: false },
  )
    .trim()
    .replace(/^\{(.*)\}$/s, '$1')
    .concat('\n');
}
