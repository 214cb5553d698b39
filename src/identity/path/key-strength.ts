import { toHex } from '#runtime';
import { IDENTITY_REASONS } from '../reasons.ts';
import type { Certificate } from '../x509/certificate.ts';
import { refuse, type StepResult } from './refuse.ts';
import type { WeakKeyList } from './weak-keys/block-list.ts';
import { hasClosePrimes } from './weak-keys/close-primes.ts';
import { isRoca } from './weak-keys/roca.ts';

/**
 * CABF-BR 6.1.1.3: keys that look like any other and are known to be broken. Size, exponent and curve are checked where
 * the key is read (x509/public-key.ts). What is computed about a certificate is remembered with it.
 */
export function checkKeyStrength(certificate: Certificate, list: WeakKeyList | undefined): StepResult {
  const { rsaModulus } = certificate.publicKey;
  if (rsaModulus === undefined) return undefined;
  if (!COMPUTED.has(certificate)) COMPUTED.set(certificate, weakness(rsaModulus));
  const what = COMPUTED.get(certificate) ?? (list?.has(rsaModulus) ? LISTED : undefined);
  return what === undefined ? undefined : refuse(IDENTITY_REASONS['weak-public-key'], certificate, what);
}

const COMPUTED = new WeakMap<Certificate, string | undefined>();
const LISTED = 'its RSA key is on the list of weak keys (CVE-2008-0166)';

function weakness(modulus: Uint8Array): string | undefined {
  const number = BigInt(`0x${toHex(modulus)}`);
  if (isRoca(number))
    return 'its RSA key was made by a library whose keys can be factored (ROCA, CVE-2017-15361)';
  if (hasClosePrimes(number))
    return 'its RSA key has two primes so close that it can be factored (CVE-2022-26320)';
  return undefined;
}
