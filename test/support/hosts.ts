/**
 * Hosts as no request may name them: each is refused before anything is looked up, compared, logged as a host or routed by it.
 */

const LONG_LABEL = 'a'.repeat(63);
/** One octet more than a name may have. */
const LONG_NAME = `${LONG_LABEL}.${LONG_LABEL}.${LONG_LABEL}.${'a'.repeat(57)}.test`;

/** One character for each octet. */
export const HOSTILE_HOSTS: readonly (readonly [what: string, host: string])[] = [
  ['nothing', ''],
  // What checkHost takes for any name below it.
  ['a dot and a name', '.test'],
  ['a dot and a name of two labels', '.a.test'],
  ['a dot alone', '.'],
  ['two dots at the end', 'a.test..'],
  ['an empty label', 'a..test'],
  // What only a certificate may have.
  ['a wildcard', '*.test'],
  ['a star in a label', 'a*.test'],
  // Ports
  ['a port alone', ':443'],
  ['port 0', 'a.test:0'],
  ['a port out of range', 'a.test:65536'],
  ['a port of very many digits', `a.test:${'9'.repeat(30)}`],
  ['a port with leading zeros', 'a.test:0443'],
  ['a port with a sign', 'a.test:+443'],
  ['a negative port', 'a.test:-1'],
  ['a port in hexadecimal', 'a.test:0x1bb'],
  ['a port that is a word', 'a.test:https'],
  ['two ports', 'a.test:443:80'],
  ['a port and a path', 'a.test:443/x'],
  // Parts of a URL that have no place here
  ['a user', 'user@a.test'],
  ['a user with a password', 'a.test:80@b.test'],
  ['a user that looks like a host', 'b.test@a.test'],
  ['a path', 'a.test/'],
  ['a query', 'a.test?x'],
  ['a fragment', 'a.test#x'],
  ['a scheme', 'https://a.test'],
  ['a backslash', 'a.test\\b.test'],
  // More than one
  ['a list', 'a.test, b.test'],
  ['a list without blanks', 'a.test,b.test'],
  ['two hosts with a blank', 'a.test b.test'],
  ['two hosts with a tab', 'a.test\tb.test'],
  ['two hosts with a semicolon', 'a.test;b.test'],
  // Characters
  ['a NUL', 'a.test\0b'],
  ['a control character', 'a\x01.test'],
  ['DEL', 'a\x7f.test'],
  ['a blank before the port', 'a.test :443'],
  ['an escaped letter', '%61.test'],
  ['an escaped NUL', 'a.test%00'],
  ['an escaped dot', 'a%2etest'],
  ['sub-delimiters', "a!$&'()+=.test"],
  ['a tilde', '~a.test'],
  ['a quote', 'a".test'],
  ['markup', '<b>.test'],
  ['a letter beyond ASCII in UTF-8', 'b\xc3\xbccher.test'],
  ['a letter beyond ASCII in latin1', 'b\xfccher.test'],
  ['a full-width full stop in UTF-8', 'a\xef\xbc\x8etest'],
  // Labels
  ['a hyphen before a label', '-a.test'],
  ['a hyphen behind a label', 'a-.test'],
  ['a label of 64', `${LONG_LABEL}a.test`],
  ['a name of 254', LONG_NAME],
  ['a name of 254 with a dot', `${LONG_NAME}.`],
  // Addresses in notations that some read as such
  ['an IPv4 address in one number', '2130706433'],
  ['an IPv4 address in two numbers', '127.1'],
  ['an IPv4 address in three numbers', '127.0.1'],
  ['an IPv4 address in hexadecimal', '0x7f.0x1'],
  ['an IPv4 address in one hexadecimal number', '0x7f000001'],
  ['an IPv4 address with a hexadecimal end', '127.0.0.0x1'],
  ['an IPv4 address half in hexadecimal', '0x7f.1'],
  ['an IPv4 address in octal', '0177.0.0.1'],
  ['an IPv4 address out of range', '256.0.0.1'],
  ['an IPv4 address with a dot at the end', '127.0.0.1.'],
  ['an IPv4 address in brackets', '[127.0.0.1]'],
  ['a name that ends in a number', 'a.test.1'],
  ['an IPv6 address without brackets', '::1'],
  ['an IPv6 address without its end', '[::1'],
  ['an IPv6 address with a zone', '[fe80::1%25eth0]'],
  ['an IPv6 address with a bare zone', '[fe80::1%1]'],
  ['an IPv6 address with two gaps', '[1::2::3]'],
  ['an IPv6 address with something behind it', '[::1]a.test'],
  ['an address of the future', '[v1.a]'],
  ['a name in brackets', '[a.test]'],
  ['brackets alone', '[]'],
];

/** Hosts that are taken, and as what they go on: the same to the route, the certificate, the log and the backend. */
export const FINE_HOSTS: readonly (readonly [host: string, text: string])[] = [
  ['a.test', 'a.test'],
  ['A.Test', 'a.test'],
  ['a.test.', 'a.test'],
  ['A.TEST.:8443', 'a.test:8443'],
  ['a.test:', 'a.test'],
  ['a.test:1', 'a.test:1'],
  ['a.test:65535', 'a.test:65535'],
  ['a_b.test', 'a_b.test'],
  ['xn--bcher-kva.test', 'xn--bcher-kva.test'],
  [LONG_NAME.slice(1), LONG_NAME.slice(1)],
  ['127.0.0.1', '127.0.0.1'],
  ['127.0.0.1:7599', '127.0.0.1:7599'],
  ['[::1]', '[::1]'],
  ['[0:0::1]:443', '[::1]:443'],
  ['[2001:DB8::1]', '[2001:db8::1]'],
  ['[::ffff:192.0.2.1]', '[::ffff:c000:201]'],
];
