import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GroupName, KeyType, SuiteName } from '#handshake';
import { encodePem, makeAuthority, type TestAuthority, type TestLeaf } from '#identity/testing';
import { temporaryFolder } from '../../support/temporary.ts';

export const SUITES: readonly SuiteName[] = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
];
/** Debian 12's OpenSSL 3.0 has no ML-KEM. */
const GROUPS = ['x25519', 'secp256r1', 'secp384r1'] as const satisfies readonly GroupName[];
type Group = (typeof GROUPS)[number];
const KEY_TYPES: readonly KeyType[] = ['ec-p256', 'ec-p384', 'ed25519', 'rsa', 'rsa-pss'];

/** Every suite with every group and every type of key, the same on both sides. */
export const COMBINATIONS = SUITES.flatMap((suite) =>
  GROUPS.flatMap((group) => KEY_TYPES.map((keyType) => ({ suite, group, keyType }))),
);

/** What OpenSSL calls things: in its options, and in what it prints. */
const GROUP_OPTION = { x25519: 'X25519', secp256r1: 'P-256', secp384r1: 'P-384' } as const;
export const GROUP_PRINTED = {
  x25519: 'X25519, 253 bits',
  secp256r1: 'ECDH, prime256v1, 256 bits',
  secp384r1: 'ECDH, secp384r1, 384 bits',
} as const;
export const SIGNATURE_PRINTED: Readonly<Record<KeyType, string>> = {
  'ec-p256': 'ECDSA',
  'ec-p384': 'ECDSA',
  ed25519: 'ed25519',
  rsa: 'RSA-PSS',
  'rsa-pss': 'RSA-PSS',
};
/** The scheme that each type of key signs with, both sides preferring the smallest hash. */
export const SCHEME = {
  'ec-p256': 'ecdsa_secp256r1_sha256',
  'ec-p384': 'ecdsa_secp384r1_sha384',
  ed25519: 'ed25519',
  rsa: 'rsa_pss_rsae_sha256',
  'rsa-pss': 'rsa_pss_pss_sha256',
} as const;

export const CLIENT_ID = 'spiffe://mesh.test/ns/shop/sa/web';
export const SERVER_ID = 'spiffe://mesh.test/ns/shop/sa/orders';

/** One authority for the file's tests, and one leaf for each type of key. */
export const authority: TestAuthority = makeAuthority();
/** Nobody here trusts it. */
export const stranger: TestAuthority = makeAuthority();
const leaves = new Map<string, TestLeaf>();

export function leaf(spiffeId: string, keyType: KeyType): TestLeaf {
  const key = `${keyType} ${spiffeId}`;
  const made = leaves.get(key) ?? authority.makeLeaf({ spiffeId, keyType });
  leaves.set(key, made);
  return made;
}

const folder = temporaryFolder('openssl');
let written = 0;

function file(text: string): string {
  written += 1;
  const path = join(folder, `${written}.pem`);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

/** Paths of PEM files: the leaf with its chain, what comes above the leaf, and the leaf's key. */
export function files({ chain, pem }: TestLeaf): { chain: string; above: string; key: string } {
  const above = chain.slice(1).map((der) => encodePem('CERTIFICATE', der));
  return { chain: file(pem.chain), above: file(above.join('')), key: file(pem.key) };
}

/** The options by which OpenSSL shows this certificate with its chain. */
export function showing(shown: TestLeaf): string[] {
  const { chain, above, key } = files(shown);
  return ['-cert', chain, '-cert_chain', above, '-key', key];
}

export function trusting({ rootPem }: TestAuthority): string[] {
  return ['-CAfile', file(rootPem), '-verify_return_error'];
}

export function offering(suite: SuiteName, ...groups: Group[]): string[] {
  return ['-ciphersuites', suite, '-groups', groups.map((group) => GROUP_OPTION[group]).join(':')];
}
