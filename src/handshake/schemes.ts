/**
 * RFC 8446 4.2.3: SignatureScheme, those that may sign a CertificateVerify. In TLS 1.3 an ECDSA scheme fixes the curve
 * as well as the hash, so each row names the one type of key that may use it. `rsa` keys have the OID rsaEncryption,
 * `rsa-pss` keys id-RSASSA-PSS.
 */
export const SCHEMES = {
  ecdsa_secp256r1_sha256: { id: 0x0403, key: 'ec-p256', hash: 'sha256' },
  ecdsa_secp384r1_sha384: { id: 0x0503, key: 'ec-p384', hash: 'sha384' },
  ed25519: { id: 0x0807, key: 'ed25519', hash: undefined },
  rsa_pss_rsae_sha256: { id: 0x0804, key: 'rsa', hash: 'sha256' },
  rsa_pss_rsae_sha384: { id: 0x0805, key: 'rsa', hash: 'sha384' },
  rsa_pss_rsae_sha512: { id: 0x0806, key: 'rsa', hash: 'sha512' },
  rsa_pss_pss_sha256: { id: 0x0809, key: 'rsa-pss', hash: 'sha256' },
  rsa_pss_pss_sha384: { id: 0x080a, key: 'rsa-pss', hash: 'sha384' },
  rsa_pss_pss_sha512: { id: 0x080b, key: 'rsa-pss', hash: 'sha512' },
} as const;

/**
 * Schemes for signatures in certificates only: "RSASSA-PKCS1-v1_5 [...] values refer solely to signatures which appear
 * in certificates (see Section 4.4.2.2) and are not defined for use in signed TLS handshake messages" (4.2.3).
 */
export const CERTIFICATE_ONLY_SCHEMES = {
  rsa_pkcs1_sha256: { id: 0x0401, key: 'rsa', hash: 'sha256' },
  rsa_pkcs1_sha384: { id: 0x0501, key: 'rsa', hash: 'sha384' },
  rsa_pkcs1_sha512: { id: 0x0601, key: 'rsa', hash: 'sha512' },
} as const;

export const CERTIFICATE_SCHEMES = { ...SCHEMES, ...CERTIFICATE_ONLY_SCHEMES } as const;

export type SchemeName = keyof typeof SCHEMES;
export type CertificateSchemeName = keyof typeof CERTIFICATE_SCHEMES;
export type KeyType = (typeof SCHEMES)[SchemeName]['key'];

/** Bits of the modulus of RSA keys that sign or are believed: below is breakable, above is slow to check. */
export const RSA_BITS = { least: 2048, most: 8192 } as const;

export const DEFAULT_SCHEMES: readonly SchemeName[] = [
  'ecdsa_secp256r1_sha256',
  'ed25519',
  'ecdsa_secp384r1_sha384',
  'rsa_pss_rsae_sha256',
  'rsa_pss_rsae_sha384',
  'rsa_pss_rsae_sha512',
  'rsa_pss_pss_sha256',
  'rsa_pss_pss_sha384',
  'rsa_pss_pss_sha512',
];

/** Signatures in certificates that a verifier usually takes. */
export const DEFAULT_CERTIFICATE_SCHEMES: readonly CertificateSchemeName[] = [
  ...DEFAULT_SCHEMES,
  ...(Object.keys(CERTIFICATE_ONLY_SCHEMES) as CertificateSchemeName[]),
];

const BY_ID = new Map<number, SchemeName>(
  (Object.entries(SCHEMES) as [SchemeName, { id: number }][]).map(([name, scheme]) => [scheme.id, name]),
);

export function schemeName(id: number): SchemeName | undefined {
  return BY_ID.get(id);
}

export function schemeIds(names: readonly CertificateSchemeName[]): readonly number[] {
  return names.map((name) => CERTIFICATE_SCHEMES[name].id);
}

/** Whether this is a scheme that may stand in certificates but never sign a handshake. */
export function isCertificateOnly(id: number): boolean {
  return Object.values(CERTIFICATE_ONLY_SCHEMES).some((scheme) => scheme.id === id);
}

/** The schemes that a key of this type can sign with, in the default order of preference. */
export function schemesForKey(key: KeyType): readonly SchemeName[] {
  return DEFAULT_SCHEMES.filter((name) => SCHEMES[name].key === key);
}
