import type { Address } from './libcrypto.ts';
import type { Native } from './native.ts';

/** An EVP_PKEY that is freed when its work is done, or when nobody holds it any more. */
export class NativeKey {
  readonly #native: Native;
  #address: Address;

  constructor(native: Native, address: Address) {
    this.#native = native;
    this.#address = address;
    abandoned.register(this, { native, address }, this);
  }

  get address(): Address {
    if (this.#address === 0) throw new Error('the key was freed');
    return this.#address;
  }

  free(): void {
    if (this.#address === 0) return;
    abandoned.unregister(this);
    this.#native.calls.EVP_PKEY_free(this.#address);
    this.#address = 0;
  }
}

const abandoned = new FinalizationRegistry(
  ({ native, address }: { readonly native: Native; readonly address: Address }) =>
    native.calls.EVP_PKEY_free(address),
);

/** A context for one operation with `key`, freed whatever happens in it. */
export function withKeyContext<T>(native: Native, key: Address, use: (context: Address) => T): T {
  const { calls } = native;
  const context = native.made(calls.EVP_PKEY_CTX_new_from_pkey(0, key, null), 'EVP_PKEY_CTX_new_from_pkey');
  try {
    return use(context);
  } finally {
    calls.EVP_PKEY_CTX_free(context);
  }
}

/** A private key from PKCS #8. Throws for one that libcrypto cannot read. */
export function importPrivateKey(native: Native, pkcs8: Uint8Array): NativeKey {
  const { calls, arena } = native;
  try {
    const data = arena.setPointer(arena.put('privateKey', pkcs8));
    return new NativeKey(
      native,
      native.made(calls.d2i_AutoPrivateKey(0, data, pkcs8.length), 'reading a private key'),
    );
  } finally {
    arena.wipe('privateKey');
  }
}

/** A public key from its SubjectPublicKeyInfo, all of it. Throws for anything else. */
export function importPublicKey(native: Native, spki: Uint8Array): NativeKey {
  const { calls, arena } = native;
  const start = arena.put('publicKey', spki);
  const key = new NativeKey(
    native,
    native.made(calls.d2i_PUBKEY(0, arena.setPointer(start), spki.length), 'reading a public key'),
  );
  if (arena.pointer() === start + spki.length) return key;
  key.free();
  throw new Error('something stands behind the public key');
}

/** The public half as it goes on the wire. */
export function encodedPublicKey(native: Native, key: NativeKey): Uint8Array {
  const { calls, arena } = native;
  const [room, lengthAt] = [arena.address('publicKey'), arena.setLength('length', 'publicKey')];
  native.must(
    calls.EVP_PKEY_get_octet_string_param(
      key.address,
      'encoded-pub-key',
      room,
      arena.length('length'),
      lengthAt,
    ),
    'encoding a public key',
  );
  return arena.take('publicKey', arena.length('length'));
}
