import { describe, expect, test, type TestContext } from 'vitest';
import type { CertificateSchemeName } from '#handshake';
import type { CryptoProvider } from '#handshake/crypto';
import { PROVIDERS } from './providers.ts';
import { type Case, fromHexText as bytes, groups, isExpected } from './vectors.ts';

interface Header {
  readonly publicKeyDer: string;
  readonly sha?: string;
  readonly mgfSha?: string;
  readonly sLen?: number;
}

const PKCS1 = { rsa_pkcs1_sha256: 'sha256', rsa_pkcs1_sha384: 'sha384', rsa_pkcs1_sha512: 'sha512' } as const;
/** Wycheproof's RSA keys, bits: the greatest are as long as RSA_BITS lets them be. */
const BITS = [2048, 3072, 4096, 8192];

/** Files whose every group is of one scheme. */
const FILES: readonly (readonly [string, CertificateSchemeName])[] = [
  ['ecdsa_secp256r1_sha256', 'ecdsa_secp256r1_sha256'],
  ['ecdsa_secp384r1_sha384', 'ecdsa_secp384r1_sha384'],
  ['ed25519', 'ed25519'],
  ...Object.entries(PKCS1).flatMap(([scheme, hash]) =>
    BITS.map((bits) => [`rsa_signature_${bits}_${hash}`, scheme as keyof typeof PKCS1] as const),
  ),
];

/** All files of RSA-PSS with SHA-2; most of their parameters are of no scheme of TLS, and must then be refused. */
const PSS_FILES = [
  ...['2048_sha256_mgf1_0', '2048_sha256_mgf1_32', '2048_sha256_mgf1sha1_20', '2048_sha384_mgf1_48'],
  ...['3072_sha256_mgf1_32', '4096_sha256_mgf1_32', '4096_sha384_mgf1_48', '4096_sha512_mgf1_32'],
  ...['4096_sha512_mgf1_64', '2048_sha256_mgf1_0_params', '2048_sha256_mgf1_32_params'],
  ...['2048_sha512_mgf1sha256_32_params', '3072_sha256_mgf1_32_params', '4096_sha512_mgf1_32_params'],
  ...['4096_sha512_mgf1_64_params', 'misc', 'misc_params'],
];

const HASHES: Readonly<Record<string, 256 | 384 | 512>> = { 'SHA-256': 256, 'SHA-384': 384, 'SHA-512': 512 };

describe.each(PROVIDERS)('Wycheproof on $name', (provider) => {
  test.for(FILES)('%s', ([file, scheme], context) => {
    if (!provider.schemes.includes(scheme)) {
      expect(notOffered(provider, scheme, context, file)).toBe(0);
      return;
    }
    for (const { publicKeyDer, tests } of groups<Header, 'msg' | 'sig'>(context, file)) {
      for (const one of tests) {
        expect.soft(holds(provider, scheme, publicKeyDer, one), title(one)).toBe(isExpected(one));
      }
    }
  });

  test.for(PSS_FILES)('rsa_pss_%s', (name, context) => {
    let judged = 0;
    for (const group of groups<Header, 'msg' | 'sig'>(context, `rsa_pss_${name}`)) {
      const size = HASHES[group.sha ?? ''];
      if (size === undefined) continue;
      // The key's own identifier says which of both kinds it is: rsaEncryption, or id-RSASSA-PSS.
      const kind = group.publicKeyDer.includes('06092a864886f70d01010a') ? 'pss' : 'rsae';
      const scheme = `rsa_pss_${kind}_sha${size}` as const;
      const isOffered = provider.schemes.includes(scheme) && group.mgfSha === group.sha;
      for (const one of group.tests) {
        // A salt changed to what the scheme demands is right, unless the key is bound to another.
        const changed = kind === 'rsae' ? /^s_len changed to (\d+)$/.exec(one.comment ?? '')?.[1] : undefined;
        const salt = Number(changed ?? group.sLen);
        const isValid = isExpected(one) || salt !== group.sLen;
        const expected = isOffered && salt === size / 8 && isValid;
        expect.soft(holds(provider, scheme, group.publicKeyDer, one), title(one)).toBe(expected);
        judged += 1;
      }
    }
    expect(judged).toBeGreaterThan(0);
  });
});

/** A provider believes no signature of a scheme that it does not offer. */
function notOffered(
  provider: CryptoProvider,
  scheme: CertificateSchemeName,
  context: TestContext,
  file: string,
): number {
  return groups<Header, 'msg' | 'sig'>(context, file)
    .flatMap(({ publicKeyDer, tests }) => tests.map((one) => holds(provider, scheme, publicKeyDer, one)))
    .filter(Boolean).length;
}

function holds(
  provider: CryptoProvider,
  scheme: CertificateSchemeName,
  publicKey: string,
  one: Case<'msg' | 'sig'>,
): boolean {
  return provider.verify(scheme, bytes(publicKey), bytes(one.msg), bytes(one.sig));
}

function title({ tcId, comment }: Case<never>): string {
  return `case ${tcId}: ${comment}`;
}
