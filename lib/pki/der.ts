/**
 * ASN.1 as node-forge writes it, in a notation short enough to see the structures of X.509 in.
 *
 * Forge's bytes are strings with one character an octet; so are the values here. Its types lack two things, which are
 * supplied in this file and nowhere else.
 */
import { createRequire } from 'node:module';
import type forge from 'node-forge';

// Of forge's thirty modules only these: its main module takes 30 ms to load, these take 9.
const require = createRequire(import.meta.url);
const asn1 = require('node-forge/lib/asn1.js') as typeof forge.asn1;
const util = require('node-forge/lib/util.js') as typeof forge.util;

const { Type, Class } = asn1;

export type Node = forge.asn1.Asn1;

/** Forge declares the types of universal nodes only; the number of a tag is as good. */
const create: (tagClass: number, type: number, isConstructed: boolean, value: string | Node[]) => Node =
  asn1.create;

export function sequence(...parts: Node[]): Node {
  return create(Class.UNIVERSAL, Type.SEQUENCE, true, parts);
}

export function setOf(part: Node): Node {
  return create(Class.UNIVERSAL, Type.SET, true, [part]);
}

/** `[tag] EXPLICIT`: the part, wrapped. */
export function explicit(tag: number, part: Node): Node {
  return create(Class.CONTEXT_SPECIFIC, tag, true, [part]);
}

/** `[tag] IMPLICIT` around bytes. */
export function implicit(tag: number, value: string): Node {
  return create(Class.CONTEXT_SPECIFIC, tag, false, value);
}

export function oid(id: string): Node {
  return primitive(Type.OID, asn1.oidToDer(id).getBytes());
}

/** A two's complement number of given octets, the first bit being its sign. */
export function integer(value: string): Node {
  return primitive(Type.INTEGER, value);
}

export function yes(): Node {
  return primitive(Type.BOOLEAN, '\xff');
}

export function nothing(): Node {
  return primitive(Type.NULL, '');
}

export function octets(value: string): Node {
  return primitive(Type.OCTETSTRING, value);
}

/** Bits, of which the last octet leaves some unused. */
export function bits(value: string, unused = 0): Node {
  return primitive(Type.BITSTRING, String.fromCharCode(unused) + value);
}

export function utf8(text: string): Node {
  return primitive(Type.UTF8, util.encodeUtf8(text));
}

/** RFC 5280 §4.1.2.5: UTCTime through 2049, GeneralizedTime after. */
export function time(atMs: number): Node {
  const date = new Date(atMs);
  const year = date.getUTCFullYear();
  return year >= 1950 && year < 2050
    ? primitive(Type.UTCTIME, asn1.dateToUtcTime(date))
    : primitive(Type.GENERALIZEDTIME, asn1.dateToGeneralizedTime(date));
}

/** The octets of an IPv4 or IPv6 address: four or sixteen. Empty for anything else. */
export function ipOctets(address: string): string {
  return (util as unknown as { bytesFromIP(address: string): string | null }).bytesFromIP(address) ?? '';
}

function primitive(type: forge.asn1.Type, value: string): Node {
  return create(Class.UNIVERSAL, type, false, value);
}

/** Adopts a structure that is DER already. */
export function fromDer(der: Buffer): Node {
  return asn1.fromDer(binary(der));
}

export function toDer(node: Node): Buffer {
  return Buffer.from(asn1.toDer(node).getBytes(), 'binary');
}

/** The members of a structure; none for a primitive value. */
export function members(node: Node | undefined): Node[] {
  return Array.isArray(node?.value) ? node.value : [];
}

/** Whether the node is `[tag]`. */
export function isTagged(node: Node, tag: number): boolean {
  return node.tagClass === Class.CONTEXT_SPECIFIC && (node.type as number) === tag;
}

export function binary(bytes: Buffer): string {
  return bytes.toString('binary');
}
