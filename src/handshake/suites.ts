/** RFC 8446 B.4: the cipher suites this engine offers, with the parameters that the record layer and key schedule need. */
export const SUITES = {
  TLS_AES_128_GCM_SHA256: { id: 0x1301, aead: 'aes-128-gcm', keyLength: 16, hash: 'sha256', hashLength: 32 },
  TLS_AES_256_GCM_SHA384: { id: 0x1302, aead: 'aes-256-gcm', keyLength: 32, hash: 'sha384', hashLength: 48 },
  TLS_CHACHA20_POLY1305_SHA256: {
    id: 0x1303,
    aead: 'chacha20-poly1305',
    keyLength: 32,
    hash: 'sha256',
    hashLength: 32,
  },
} as const;

export type SuiteName = keyof typeof SUITES;
export type Suite = (typeof SUITES)[SuiteName];
export type AeadName = Suite['aead'];
export type HashName = Suite['hash'];

/** Bytes of a key. */
export const KEY_LENGTHS = Object.fromEntries(
  Object.values(SUITES).map(({ aead, keyLength }) => [aead, keyLength]),
) as Readonly<Record<AeadName, number>>;

/** Bytes of a digest. */
export const HASH_LENGTHS = Object.fromEntries(
  Object.values(SUITES).map(({ hash, hashLength }) => [hash, hashLength]),
) as Readonly<Record<HashName, number>>;

export const DEFAULT_SUITES: readonly SuiteName[] = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
];

const BY_ID = new Map<number, SuiteName>(
  (Object.entries(SUITES) as [SuiteName, Suite][]).map(([name, suite]) => [suite.id, name]),
);

export function suiteName(id: number): SuiteName | undefined {
  return BY_ID.get(id);
}
