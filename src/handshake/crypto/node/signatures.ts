import { constants, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import type { Signer } from '../../credentials/signer.ts';
import {
  CERTIFICATE_SCHEMES,
  type CertificateSchemeName,
  type KeyType,
  RSA_BITS,
  schemesForKey,
} from '../../schemes.ts';
import { isInUsualForm } from '../der-heads.ts';
import { fitsPssParameters } from '../pss-parameters.ts';

/** CryptoProvider.verify. */
export function verifySignature(
  scheme: CertificateSchemeName,
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (!isInUsualForm(CERTIFICATE_SCHEMES[scheme].key, publicKey)) return false;
  try {
    const key = createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' });
    if (keyTypeOf(key) !== CERTIFICATE_SCHEMES[scheme].key || !fitsPssParameters(publicKey, scheme))
      return false;
    return verify(hashOf(scheme), message, { key, ...paddingOf(scheme) }, signature);
  } catch {
    // A key or signature that OpenSSL cannot even parse is one that does not hold.
    return false;
  }
}

/** Signs with a private key held by this process. Throws for a key that no scheme here can use. */
export function nodeSigner(privateKey: KeyObject): Signer {
  const keyType = keyTypeOf(privateKey);
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  const usable = schemesForKey(keyType).filter((scheme) => fitsPssParameters(spki, scheme));
  if (usable.length === 0) throw new Error('an RSA-PSS key for other parameters than those of TLS 1.3');
  return {
    schemes: usable,
    sign: (scheme, message) => sign(hashOf(scheme), message, { key: privateKey, ...paddingOf(scheme) }),
  };
}

function keyTypeOf(key: KeyObject): KeyType {
  const { namedCurve: curve, modulusLength: bits } = key.asymmetricKeyDetails ?? {};
  const type = key.asymmetricKeyType;
  if (type === 'ec' && curve === 'prime256v1') return 'ec-p256';
  if (type === 'ec' && curve === 'secp384r1') return 'ec-p384';
  if (type === 'ed25519') return 'ed25519';
  if (type !== 'rsa' && type !== 'rsa-pss') {
    throw new Error(`a key of type ${type} ${curve ?? ''} has no TLS 1.3 signature scheme here`);
  }
  if (bits === undefined || bits < RSA_BITS.least || bits > RSA_BITS.most) {
    throw new Error(`an RSA key of ${bits} bits; ${RSA_BITS.least} to ${RSA_BITS.most} are taken here`);
  }
  return type;
}

function hashOf(scheme: CertificateSchemeName): string | null {
  return CERTIFICATE_SCHEMES[scheme].hash ?? null;
}

/** RFC 8446 4.2.3: RSASSA-PSS with MGF1 of the same hash and a salt as long as the digest; for the others PKCS #1. */
function paddingOf(scheme: CertificateSchemeName): { padding?: number; saltLength?: number } {
  if (scheme.startsWith('rsa_pkcs1_')) return { padding: constants.RSA_PKCS1_PADDING };
  if (!scheme.startsWith('rsa_pss_')) return {};
  return { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
}
