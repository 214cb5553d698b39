import { equal, fromHex } from '#runtime';
import { CERTIFICATE_SCHEMES, type CertificateSchemeName } from '../schemes.ts';

/**
 * RFC 8446 4.2.3: where an id-RSASSA-PSS key has parameters, "the parameters in the signature MUST be identical to
 * those in the public key". OpenSSL would go by the key's hash for MGF1, and take a longer salt than the key's. True
 * for keys of other kinds. `spki` is a SubjectPublicKeyInfo of an RSA key of 2048 bits or more, or of another kind.
 */
export function fitsPssParameters(spki: Uint8Array, scheme: CertificateSchemeName): boolean {
  if (CERTIFICATE_SCHEMES[scheme].key !== 'rsa-pss') return true;
  const { hash } = CERTIFICATE_SCHEMES[scheme];
  return [UNBOUND, BOUND[hash]].some((head) => equal(spki.subarray(AT, AT + head.length), head));
}

/** Where the AlgorithmIdentifier begins: the outer length of such a key takes two bytes behind 0x82. */
const AT = 4;
/** Without parameters the key may be used with any hash (RFC 4055 1.2). */
const UNBOUND = fromHex('300b 06092a864886f70d01010a');
/** RFC 4055 3.1: one hash throughout, and a salt of its length. */
const BOUND = { sha256: bound('01', '20'), sha384: bound('02', '30'), sha512: bound('03', '40') } as const;

function bound(hashArc: string, saltLength: string): Uint8Array {
  const hash = `300d06096086480165030402${hashArc}0500`;
  const mgf1 = `301a06092a864886f70d010108${hash}`;
  return fromHex(`304106092a864886f70d01010a3034a00f${hash}a11c${mgf1}a2030201${saltLength}`);
}
