import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hash as hashOnce,
  type KeyObject,
  constants,
  randomBytes,
  sign,
  verify,
} from 'node:crypto';
import type { Signer } from '../credentials/signer.ts';
import type { GroupName } from '../groups.ts';
import { type KeyType, SCHEMES, type SchemeName, schemesForKey } from '../schemes.ts';
import type { AeadName, HashName } from '../suites.ts';
import type { Aead, CryptoProvider, KeyExchange, RunningHash } from './provider.ts';
import { Secret } from './secret.ts';

/** The provider on node:crypto alone: works wherever Node does. */
export const nodeProvider: CryptoProvider = {
  name: 'node',
  randomBytes: (length) => new Uint8Array(randomBytes(length)),
  startHash: (hash) => new NodeHash(hash),
  hash: (hash, bytes) => hashOnce(hash, bytes, 'buffer'),
  hmac: (hash, key, bytes) => createHmac(hash, key).update(bytes).digest(),
  startKeyExchange: (group) => (group === 'x25519' ? startX25519() : startP256()),
  aead: (aead, key) => new NodeAead(aead, key),
  verify(scheme, publicKey, message, signature) {
    try {
      const key = createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' });
      return verify(hashOf(scheme), message, { key, ...paddingOf(scheme) }, signature);
    } catch {
      // A key or signature that OpenSSL cannot even parse is one that does not hold.
      return false;
    }
  },
};

/** Signs with a private key held by this process. */
export function nodeSigner(privateKey: KeyObject): Signer {
  return {
    schemes: schemesForKey(keyTypeOf(privateKey)),
    sign: (scheme, message) => sign(hashOf(scheme), message, { key: privateKey, ...paddingOf(scheme) }),
  };
}

/** Throws for a key that no SignatureScheme of ours can use. */
function keyTypeOf(key: KeyObject): KeyType {
  const curve = key.asymmetricKeyDetails?.namedCurve;
  if (key.asymmetricKeyType === 'ec' && curve === 'prime256v1') return 'ec-p256';
  if (key.asymmetricKeyType === 'ec' && curve === 'secp384r1') return 'ec-p384';
  if (key.asymmetricKeyType === 'ed25519') return 'ed25519';
  if (key.asymmetricKeyType === 'rsa') return 'rsa';
  throw new Error(
    `a key of type ${key.asymmetricKeyType} ${curve ?? ''} has no TLS 1.3 signature scheme here`,
  );
}

function hashOf(scheme: SchemeName): string | null {
  return SCHEMES[scheme].hash ?? null;
}

/** RFC 8446 4.2.3: RSASSA-PSS with MGF1 of the same hash and a salt as long as the digest. */
function paddingOf(scheme: SchemeName): { padding?: number; saltLength?: number } {
  if (SCHEMES[scheme].key !== 'rsa') return {};
  return { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
}

class NodeHash implements RunningHash {
  readonly #hash: ReturnType<typeof createHash>;

  constructor(hash: HashName) {
    this.#hash = createHash(hash);
  }

  update(bytes: Uint8Array): void {
    this.#hash.update(bytes);
  }

  snapshot(): Uint8Array {
    return this.#hash.copy().digest();
  }
}

class NodeAead implements Aead {
  readonly tagLength = 16;
  readonly #name: AeadName;
  readonly #key: Uint8Array;
  #wiped = false;

  constructor(name: AeadName, key: Uint8Array) {
    this.#name = name;
    this.#key = key;
  }

  seal(
    nonce: Uint8Array,
    additionalData: Uint8Array,
    plaintext: Uint8Array,
    out: Uint8Array,
    offset: number,
  ): void {
    this.#requireKey();
    // The union of cipher names has no single overload; GCM's serves both, as both take an authTagLength.
    const cipher = createCipheriv(this.#name as 'aes-128-gcm', this.#key, nonce, { authTagLength: 16 });
    cipher.setAAD(additionalData, { plaintextLength: plaintext.length });
    out.set(cipher.update(plaintext), offset);
    cipher.final();
    out.set(cipher.getAuthTag(), offset + plaintext.length);
  }

  open(nonce: Uint8Array, additionalData: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
    this.#requireKey();
    if (sealed.length < this.tagLength) return undefined;
    const end = sealed.length - this.tagLength;
    const decipher = createDecipheriv(this.#name as 'aes-128-gcm', this.#key, nonce, { authTagLength: 16 });
    decipher.setAAD(additionalData, { plaintextLength: end });
    decipher.setAuthTag(sealed.subarray(end));
    const plaintext = decipher.update(sealed.subarray(0, end));
    try {
      decipher.final();
      return plaintext;
    } catch {
      plaintext.fill(0);
      return undefined;
    }
  }

  wipe(): void {
    this.#key.fill(0);
    this.#wiped = true;
  }

  /** A wiped key is all zeros: sealing under it would be sealing in the open. */
  #requireKey(): void {
    if (this.#wiped) throw new Error('the key was wiped');
  }
}

/** SubjectPublicKeyInfo of an X25519 key up to the 32 key bytes (RFC 8410 4). */
const X25519_SPKI_HEAD = Buffer.from('302a300506032b656e032100', 'hex');
/** SubjectPublicKeyInfo of an uncompressed P-256 point up to the 65 point bytes (RFC 5480 2). */
const P256_SPKI_HEAD = Buffer.from('3059301306072a8648ce3d020106082a8648ce3d030107034200', 'hex');

/** RFC 8446 4.2.8.2: TLS 1.3 has this form only; OpenSSL would also take X9.62's hybrid form, of the same length. */
const UNCOMPRESSED_POINT = 4;

function startX25519(): KeyExchange {
  const { publicKey, privateKey } = generateKeyPairSync('x25519');
  return keyExchange('x25519', privateKey, publicKey, X25519_SPKI_HEAD);
}

function startP256(): KeyExchange {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return keyExchange('secp256r1', privateKey, publicKey, P256_SPKI_HEAD);
}

function keyExchange(
  group: GroupName,
  privateKey: KeyObject,
  publicKey: KeyObject,
  head: Buffer,
): KeyExchange {
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const share = new Uint8Array(spki.subarray(head.length));
  const isWellFormed = (peerShare: Uint8Array): boolean =>
    peerShare.length === share.length && (group !== 'secp256r1' || peerShare[0] === UNCOMPRESSED_POINT);
  return {
    group,
    share,
    agree: (peerShare) => (isWellFormed(peerShare) ? agree(privateKey, head, peerShare) : undefined),
  };
}

function agree(privateKey: KeyObject, head: Buffer, peerShare: Uint8Array): Secret | undefined {
  try {
    // OpenSSL checks that a P-256 point is on the curve when it imports it, and X25519's result for all zeros
    // (RFC 8446 7.4.2) when it derives.
    const key = Buffer.concat([head, peerShare]);
    const publicKey = createPublicKey({ key, format: 'der', type: 'spki' });
    return new Secret(diffieHellman({ privateKey, publicKey }));
  } catch {
    return undefined;
  }
}
