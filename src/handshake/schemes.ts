/**
 * RFC 8446 4.2.3: SignatureScheme. In TLS 1.3 an ECDSA scheme fixes the curve as well as the hash, so each row names
 * the one type of key that may use it.
 */
export const SCHEMES = {
  ecdsa_secp256r1_sha256: { id: 0x0403, key: 'ec-p256', hash: 'sha256' },
  ecdsa_secp384r1_sha384: { id: 0x0503, key: 'ec-p384', hash: 'sha384' },
  ed25519: { id: 0x0807, key: 'ed25519', hash: undefined },
  rsa_pss_rsae_sha256: { id: 0x0804, key: 'rsa', hash: 'sha256' },
  rsa_pss_rsae_sha384: { id: 0x0805, key: 'rsa', hash: 'sha384' },
  rsa_pss_rsae_sha512: { id: 0x0806, key: 'rsa', hash: 'sha512' },
} as const;

export type SchemeName = keyof typeof SCHEMES;
export type KeyType = (typeof SCHEMES)[SchemeName]['key'];

export const DEFAULT_SCHEMES: readonly SchemeName[] = [
  'ecdsa_secp256r1_sha256',
  'ed25519',
  'ecdsa_secp384r1_sha384',
  'rsa_pss_rsae_sha256',
  'rsa_pss_rsae_sha384',
  'rsa_pss_rsae_sha512',
];

const BY_ID = new Map<number, SchemeName>(
  (Object.entries(SCHEMES) as [SchemeName, { id: number }][]).map(([name, scheme]) => [scheme.id, name]),
);

export function schemeName(id: number): SchemeName | undefined {
  return BY_ID.get(id);
}

/** The schemes that a key of this type can sign with, in the default order of preference. */
export function schemesForKey(key: KeyType): readonly SchemeName[] {
  return DEFAULT_SCHEMES.filter((name) => SCHEMES[name].key === key);
}
