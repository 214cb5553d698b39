import { toHex } from '#runtime';
import type { DerReader } from './der/reader.ts';
import { readOid } from './der/oid.ts';

/**
 * Signature algorithms that are believed, each with its whole AlgorithmIdentifier in hexadecimal: comparing bytes
 * leaves no room for other parameters. RFC 5758 3.2 (ECDSA: no parameters), RFC 8410 3 (Ed25519: none), RFC 4055 5
 * (PKCS #1: NULL), RFC 4055 3.1 (PSS: hash, MGF1 of the same hash, salt as long as the hash).
 */
export const SIGNATURE_ALGORITHMS = {
  'ecdsa-with-SHA256': { identifier: '300a06082a8648ce3d040302', key: 'ec', hash: 'sha256' },
  'ecdsa-with-SHA384': { identifier: '300a06082a8648ce3d040303', key: 'ec', hash: 'sha384' },
  'ecdsa-with-SHA512': { identifier: '300a06082a8648ce3d040304', key: 'ec', hash: 'sha512' },
  Ed25519: { identifier: '300506032b6570', key: 'ed25519', hash: undefined },
  'RSA-SHA256': { identifier: '300d06092a864886f70d01010b0500', key: 'rsa', hash: 'sha256' },
  'RSA-SHA384': { identifier: '300d06092a864886f70d01010c0500', key: 'rsa', hash: 'sha384' },
  'RSA-SHA512': { identifier: '300d06092a864886f70d01010d0500', key: 'rsa', hash: 'sha512' },
  'RSA-PSS-SHA256': { identifier: pss('01', '20'), key: 'rsa', hash: 'sha256' },
  'RSA-PSS-SHA384': { identifier: pss('02', '30'), key: 'rsa', hash: 'sha384' },
  'RSA-PSS-SHA512': { identifier: pss('03', '40'), key: 'rsa', hash: 'sha512' },
} as const;

export type SignatureAlgorithmName = keyof typeof SIGNATURE_ALGORITHMS;

/** What a certificate says it was signed with: an algorithm that can be verified, or the reason why it can't. */
export type SignatureAlgorithm =
  | { readonly usable: true; readonly name: SignatureAlgorithmName }
  | { readonly usable: false; readonly weak: boolean; readonly text: string };

/** Reads an AlgorithmIdentifier. Algorithms unknown here are a value, so that the path code can name its reason. */
export function readSignatureAlgorithm(
  reader: DerReader,
  what: string,
): { readonly algorithm: SignatureAlgorithm; readonly encoded: Uint8Array } {
  const start = reader.offset;
  const inner = reader.sequence(what);
  const encoded = reader.bytes.subarray(start, reader.offset);
  const oid = readOid(inner, `${what} OID`);
  if (!inner.atEnd) inner.any(`${what} parameters`);
  inner.finish(what);
  const name = BY_IDENTIFIER.get(toHex(encoded));
  if (name !== undefined) return { algorithm: { usable: true, name }, encoded };
  const weak = WEAK[oid];
  const text = weak ?? KNOWN_OTHER[oid] ?? `algorithm ${oid}`;
  return { algorithm: { usable: false, weak: weak !== undefined, text }, encoded };
}

/** Whether these are the parameters of one of the RSA-PSS algorithms above: an id-RSASSA-PSS key may carry them. */
export function isPssParameters(encoded: Uint8Array): boolean {
  const text = toHex(encoded);
  const head = '304106092a864886f70d01010a';
  return PSS_NAMES.some((name) => SIGNATURE_ALGORITHMS[name].identifier === `${head}${text}`);
}

const BY_IDENTIFIER = new Map(
  (Object.entries(SIGNATURE_ALGORITHMS) as [SignatureAlgorithmName, { identifier: string }][]).map(
    ([name, { identifier }]) => [identifier, name],
  ),
);

/** Collisions can be made for these, or nearly: whoever signs with them may have signed something else too. */
const WEAK: Readonly<Record<string, string>> = {
  '1.2.840.113549.1.1.2': 'RSA with MD2',
  '1.2.840.113549.1.1.4': 'RSA with MD5',
  '1.2.840.113549.1.1.5': 'RSA with SHA-1',
  '1.3.14.3.2.29': 'RSA with SHA-1',
  '1.2.840.10045.4.1': 'ECDSA with SHA-1',
  '1.2.840.10040.4.3': 'DSA with SHA-1',
  '1.2.840.113549.1.1.14': 'RSA with SHA-224',
  '1.2.840.10045.4.3.1': 'ECDSA with SHA-224',
};

/** Algorithms that are believed with the right parameters only. */
const KNOWN_OTHER: Readonly<Record<string, string>> = {
  '1.2.840.10045.4.3.2': 'ecdsa-with-SHA256 with parameters',
  '1.2.840.10045.4.3.3': 'ecdsa-with-SHA384 with parameters',
  '1.2.840.10045.4.3.4': 'ecdsa-with-SHA512 with parameters',
  '1.3.101.112': 'Ed25519 with parameters',
  '1.2.840.113549.1.1.10': 'RSA-PSS with other parameters than one of SHA-256, -384, -512 throughout',
  '1.2.840.113549.1.1.11': 'RSA-SHA256 without NULL parameters',
  '1.2.840.113549.1.1.12': 'RSA-SHA384 without NULL parameters',
  '1.2.840.113549.1.1.13': 'RSA-SHA512 without NULL parameters',
};

const PSS_NAMES = ['RSA-PSS-SHA256', 'RSA-PSS-SHA384', 'RSA-PSS-SHA512'] as const;

/** RSASSA-PSS-params of one SHA-2 hash (last arc of its OID) and its length, both in hexadecimal. */
function pss(hashArc: string, saltLength: string): string {
  const hash = `300d06096086480165030402${hashArc}0500`;
  const mgf1 = `301a06092a864886f70d010108${hash}`;
  return `304106092a864886f70d01010a3034a00f${hash}a11c${mgf1}a2030201${saltLength}`;
}
