import { concat } from '#runtime';
import { PRIVATE_KEY_HEADS } from '../der-heads.ts';
import { type Curve, type CurveKey, curveKem, uncompressedPoint, X25519 } from '../diffie-hellman.ts';
import { type Kem, KEMS, type KemName } from '../kem.ts';
import { type MlKemKey, mlKem } from '../ml-kem.ts';
import { encodedPublicKey, importPrivateKey, NativeKey, withKeyContext } from './keys.ts';
import type { Address } from './libcrypto.ts';
import type { Native } from './native.ts';

export function opensslKems(native: Native): Readonly<Record<KemName, Kem>> {
  return {
    x25519: curveKem(curve(native, 'x25519', 'X25519', undefined), X25519),
    secp256r1: curveKem(
      curve(native, 'secp256r1', 'EC', 'P-256'),
      uncompressedPoint(KEMS.secp256r1.publicKeyLength),
    ),
    secp384r1: curveKem(
      curve(native, 'secp384r1', 'EC', 'P-384'),
      uncompressedPoint(KEMS.secp384r1.publicKeyLength),
    ),
    mlkem768: mlKem768(native),
  };
}

type CurveName = Exclude<KemName, 'mlkem768'>;

function curve(native: Native, name: CurveName, algorithm: string, group: string | undefined): Curve {
  const generate = generator(native, algorithm, group);
  const readPeer =
    group === undefined
      ? (peer: Uint8Array) => rawPublicKey(native, algorithm, peer)
      : (peer: Uint8Array, own: NativeKey) => pointOf(native, peer, own);
  const key = (own: NativeKey): CurveKey => ({
    publicKey: encodedPublicKey(native, own),
    agree(peer) {
      try {
        const other = readPeer(peer, own);
        try {
          return derive(native, own, other);
        } finally {
          other.free();
        }
      } catch (error) {
        native.forgetErrors();
        throw error;
      } finally {
        own.free();
      }
    },
  });
  return {
    generate: () => key(generate()),
    restore: (privateKey) => key(importPrivateKey(native, concat(PRIVATE_KEY_HEADS[name], privateKey))),
  };
}

function mlKem768(native: Native): Kem {
  const { calls, arena } = native;
  const generate = generator(native, 'ML-KEM-768', undefined);
  const { ciphertextLength } = KEMS.mlkem768;
  const takeSecret = (): Uint8Array => {
    const secret = arena.take('secret', arena.length('length2'));
    arena.wipe('secret');
    return secret;
  };
  const key = (own: NativeKey): MlKemKey => ({
    publicKey: encodedPublicKey(native, own),
    decapsulate(ciphertext) {
      try {
        return withKeyContext(native, own.address, (context) => {
          native.must(calls.EVP_PKEY_decapsulate_init(context, 0), 'EVP_PKEY_decapsulate_init');
          const [secretAt, lengthAt] = [arena.address('secret'), arena.setLength('length2', 'secret')];
          const from = arena.put('publicKey', ciphertext);
          native.must(
            calls.EVP_PKEY_decapsulate(context, secretAt, lengthAt, from, ciphertext.length),
            'EVP_PKEY_decapsulate',
          );
          return takeSecret();
        });
      } finally {
        own.free();
      }
    },
  });
  return mlKem({
    generate: () => key(generate()),
    restore: (seed) => key(importPrivateKey(native, concat(PRIVATE_KEY_HEADS.mlkem768, seed))),
    encapsulate(publicKey) {
      const peer = rawPublicKey(native, 'ML-KEM-768', publicKey);
      try {
        return withKeyContext(native, peer.address, (context) => {
          native.must(calls.EVP_PKEY_encapsulate_init(context, 0), 'EVP_PKEY_encapsulate_init');
          const [textAt, textLengthAt] = [arena.address('publicKey'), arena.setLength('length', 'publicKey')];
          const [secretAt, secretLengthAt] = [arena.address('secret'), arena.setLength('length2', 'secret')];
          native.must(
            calls.EVP_PKEY_encapsulate(context, textAt, textLengthAt, secretAt, secretLengthAt),
            'EVP_PKEY_encapsulate',
          );
          if (arena.length('length') !== ciphertextLength)
            throw new Error('the ciphertext has another length');
          return { ciphertext: arena.take('publicKey', ciphertextLength), shared: takeSecret() };
        });
      } finally {
        peer.free();
      }
    },
  });
}

/** Makes keys of one algorithm with one context. */
function generator(native: Native, algorithm: string, group: string | undefined): () => NativeKey {
  const { calls, arena } = native;
  let context: Address = 0;
  const prepare = (): Address => {
    const made = native.made(
      calls.EVP_PKEY_CTX_new_from_name(0, algorithm, null),
      `making ${algorithm} keys`,
    );
    native.must(calls.EVP_PKEY_keygen_init(made), 'EVP_PKEY_keygen_init');
    if (group !== undefined) {
      native.must(calls.EVP_PKEY_CTX_set_group_name(made, group), 'EVP_PKEY_CTX_set_group_name');
    }
    return made;
  };
  return () => {
    if (context === 0) context = prepare();
    native.must(calls.EVP_PKEY_generate(context, arena.setPointer(0)), 'EVP_PKEY_generate');
    return new NativeKey(native, arena.pointer());
  };
}

function rawPublicKey(native: Native, algorithm: string, bytes: Uint8Array): NativeKey {
  const { calls, arena } = native;
  const at = arena.put('publicKey', bytes);
  const key = calls.EVP_PKEY_new_raw_public_key_ex(0, algorithm, null, at, bytes.length);
  return new NativeKey(native, native.made(key, `reading a ${algorithm} public key`));
}

/** A peer's point, which libcrypto reads only if it is on the curve of our own key. */
function pointOf(native: Native, point: Uint8Array, own: NativeKey): NativeKey {
  const { calls, arena } = native;
  const key = new NativeKey(native, native.made(calls.EVP_PKEY_new(), 'EVP_PKEY_new'));
  try {
    native.must(calls.EVP_PKEY_copy_parameters(key.address, own.address), 'EVP_PKEY_copy_parameters');
    const at = arena.put('publicKey', point);
    native.must(calls.EVP_PKEY_set1_encoded_public_key(key.address, at, point.length), 'reading a point');
    return key;
  } catch (error) {
    key.free();
    throw error;
  }
}

function derive(native: Native, own: NativeKey, peer: NativeKey): Uint8Array {
  const { calls, arena } = native;
  return withKeyContext(native, own.address, (context) => {
    native.must(calls.EVP_PKEY_derive_init(context), 'EVP_PKEY_derive_init');
    // 0: these curves have prime order (X25519 clears its cofactor), so a point on the curve is enough.
    native.must(calls.EVP_PKEY_derive_set_peer_ex(context, peer.address, 0), 'EVP_PKEY_derive_set_peer_ex');
    const [secretAt, lengthAt] = [arena.address('secret'), arena.setLength('length', 'secret')];
    try {
      native.must(calls.EVP_PKEY_derive(context, secretAt, lengthAt), 'EVP_PKEY_derive');
      return arena.take('secret', arena.length('length'));
    } finally {
      arena.wipe('secret');
    }
  });
}
