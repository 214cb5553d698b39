import type { KeyObject } from 'node:crypto';
import type { Signer } from '../../credentials/signer.ts';
import { CERTIFICATE_SCHEMES, type CertificateSchemeName, type KeyType, RSA_BITS } from '../../schemes.ts';
import { isInUsualForm } from '../der-heads.ts';
import { nodeSigner } from '../node/signatures.ts';
import { fitsPssParameters } from '../pss-parameters.ts';
import { DIGEST_NAMES } from './hash.ts';
import { importPrivateKey, importPublicKey, type NativeKey } from './keys.ts';
import { KnownKeys } from './known-keys.ts';
import type { Address } from './libcrypto.ts';
import type { Native } from './native.ts';

/** Signatures with one digest context, which is emptied after each use. */
export class Signatures {
  readonly #native: Native;
  readonly #context: Address;
  readonly #keys = new KnownKeys();

  constructor(native: Native) {
    this.#native = native;
    this.#context = native.made(native.calls.EVP_MD_CTX_new(), 'EVP_MD_CTX_new');
  }

  /** CryptoProvider.verify. */
  verify(
    scheme: CertificateSchemeName,
    publicKey: Uint8Array,
    message: Uint8Array,
    signature: Uint8Array,
  ): boolean {
    if (!isInUsualForm(CERTIFICATE_SCHEMES[scheme].key, publicKey)) return false;
    let holds = false;
    const known = this.#keys.find(publicKey);
    let key = known;
    try {
      key ??= importPublicKey(this.#native, publicKey);
      if (this.#typeOf(key) !== CERTIFICATE_SCHEMES[scheme].key) return false;
      if (!fitsPssParameters(publicKey, scheme)) return false;
      holds = this.#verify(scheme, key, message, signature);
      return holds;
    } catch {
      // A key or signature that libcrypto cannot even parse is one that does not hold.
      return false;
    } finally {
      // Only who has the private key gets a place.
      if (holds && key !== undefined) this.#keys.keep(publicKey, key);
      else if (known === undefined) key?.free();
      this.#native.calls.EVP_MD_CTX_reset(this.#context);
      this.#native.forgetErrors();
    }
  }

  /** A signer for a private key held by this process. Throws for a key that no scheme here can use. */
  signer(privateKey: KeyObject): Signer {
    const { schemes } = nodeSigner(privateKey);
    const pkcs8 = privateKey.export({ format: 'der', type: 'pkcs8' });
    const key = importPrivateKey(this.#native, pkcs8);
    pkcs8.fill(0);
    return { schemes, sign: (scheme, message) => this.#sign(scheme, key, message) };
  }

  #sign(scheme: CertificateSchemeName, key: NativeKey, message: Uint8Array): Uint8Array {
    const native = this.#native;
    const { calls, arena } = native;
    try {
      const keyContextAt = arena.setPointer(0);
      native.must(
        calls.EVP_DigestSignInit_ex(this.#context, keyContextAt, digestOf(scheme), 0, null, key.address, 0),
        'EVP_DigestSignInit_ex',
      );
      this.#pad(arena.pointer(), scheme);
      const [out, lengthAt] = [arena.address('signature'), arena.setLength('length', 'signature')];
      const data = arena.put('message', message);
      native.must(calls.EVP_DigestSign(this.#context, out, lengthAt, data, message.length), 'EVP_DigestSign');
      return arena.take('signature', arena.length('length'));
    } finally {
      calls.EVP_MD_CTX_reset(this.#context);
    }
  }

  #verify(
    scheme: CertificateSchemeName,
    key: NativeKey,
    message: Uint8Array,
    signature: Uint8Array,
  ): boolean {
    const native = this.#native;
    const { calls, arena } = native;
    const keyContextAt = arena.setPointer(0);
    native.must(
      calls.EVP_DigestVerifyInit_ex(this.#context, keyContextAt, digestOf(scheme), 0, null, key.address, 0),
      'EVP_DigestVerifyInit_ex',
    );
    this.#pad(arena.pointer(), scheme);
    const signatureAt = arena.put('signature', signature);
    const data = arena.put('message', message);
    return calls.EVP_DigestVerify(this.#context, signatureAt, signature.length, data, message.length) === 1;
  }

  /** RFC 8446 4.2.3: RSASSA-PSS with MGF1 of the same hash and a salt as long as the digest; for the others PKCS #1. */
  #pad(keyContext: Address, scheme: CertificateSchemeName): void {
    const { calls } = this.#native;
    if (scheme.startsWith('rsa_pkcs1_')) {
      this.#native.must(calls.EVP_PKEY_CTX_set_rsa_padding(keyContext, PKCS1_PADDING), 'setting a padding');
    }
    if (!scheme.startsWith('rsa_pss_')) return;
    this.#native.must(calls.EVP_PKEY_CTX_set_rsa_padding(keyContext, PSS_PADDING), 'setting a padding');
    this.#native.must(
      calls.EVP_PKEY_CTX_set_rsa_pss_saltlen(keyContext, SALT_AS_LONG_AS_DIGEST),
      'setting a salt length',
    );
  }

  #typeOf({ address }: NativeKey): KeyType | undefined {
    const { calls, arena } = this.#native;
    if (calls.EVP_PKEY_is_a(address, 'EC') === 1) {
      const [textAt, lengthAt] = [arena.address('text'), arena.address('length')];
      if (calls.EVP_PKEY_get_group_name(address, textAt, arena.room('text'), lengthAt) !== 1)
        return undefined;
      return CURVES.get(arena.text());
    }
    if (calls.EVP_PKEY_is_a(address, 'ED25519') === 1) return 'ed25519';
    const bits = calls.EVP_PKEY_get_bits(address);
    if (bits < RSA_BITS.least || bits > RSA_BITS.most) return undefined;
    if (calls.EVP_PKEY_is_a(address, 'RSA') === 1) return 'rsa';
    return calls.EVP_PKEY_is_a(address, 'RSA-PSS') === 1 ? 'rsa-pss' : undefined;
  }
}

/** As libcrypto names them (RFC 5480 2.1.1.1 as secp256r1 and secp384r1). */
const CURVES: ReadonlyMap<string, KeyType> = new Map([
  ['prime256v1', 'ec-p256'],
  ['secp384r1', 'ec-p384'],
]);

/** RSA_PKCS1_PADDING, RSA_PKCS1_PSS_PADDING, RSA_PSS_SALTLEN_DIGEST (openssl/rsa.h). */
const PKCS1_PADDING = 1;
const PSS_PADDING = 6;
const SALT_AS_LONG_AS_DIGEST = -1;

function digestOf(scheme: CertificateSchemeName): string | null {
  const { hash } = CERTIFICATE_SCHEMES[scheme];
  return hash === undefined ? null : DIGEST_NAMES[hash];
}
