import { HASH_LENGTHS, type HashName } from '../../suites.ts';
import type { RunningHash } from '../provider.ts';
import type { Address } from './libcrypto.ts';
import type { Native } from './native.ts';

/** As libcrypto names them; SHA-512 signs only. */
export const DIGEST_NAMES = { sha256: 'SHA2-256', sha384: 'SHA2-384', sha512: 'SHA2-512' } as const;

/** Hashes and HMACs of one native library. */
export class Hashes {
  readonly native: Native;
  readonly #digests = new Map<HashName, Address>();
  readonly #macs = new Map<HashName, Address>();
  readonly #scratch: Address;
  /** Frees the context of a running hash that nobody holds any more. */
  readonly #abandoned: FinalizationRegistry<Address>;

  constructor(native: Native) {
    const { calls } = native;
    this.native = native;
    this.#scratch = native.made(calls.EVP_MD_CTX_new(), 'EVP_MD_CTX_new');
    this.#abandoned = new FinalizationRegistry((context) => calls.EVP_MD_CTX_free(context));
  }

  hash(name: HashName, bytes: Uint8Array): Uint8Array {
    const { native } = this;
    this.#init(this.#scratch, name);
    this.update(this.#scratch, bytes);
    return finish(native, this.#scratch, name);
  }

  start(name: HashName): RunningHash {
    const { native } = this;
    let context = native.made(native.calls.EVP_MD_CTX_new(), 'EVP_MD_CTX_new');
    const held = (): Address => {
      // A freed address may be somebody else's memory by now.
      if (context === 0) throw new Error('the hash was freed');
      return context;
    };
    const running: RunningHash = {
      update: (bytes) => this.update(held(), bytes),
      snapshot: () => {
        native.must(native.calls.EVP_MD_CTX_copy_ex(this.#scratch, held()), 'copying a hash');
        return finish(native, this.#scratch, name);
      },
      free: () => {
        if (context === 0) return;
        this.#abandoned.unregister(running);
        native.calls.EVP_MD_CTX_free(context);
        context = 0;
      },
    };
    this.#abandoned.register(running, context, running);
    this.#init(context, name);
    return running;
  }

  hmac(name: HashName, key: Uint8Array, bytes: Uint8Array): Uint8Array {
    const { native } = this;
    const { calls, arena } = native;
    const context = this.#mac(name);
    try {
      native.must(calls.EVP_MAC_init(context, arena.put('key', key), key.length, 0), 'EVP_MAC_init');
      if (bytes.length > 0) {
        native.must(calls.inPlace.EVP_MAC_update(context, bytes, bytes.length), 'EVP_MAC_update');
      }
      const [digestAt, lengthAt] = [arena.address('digest'), arena.address('length')];
      native.must(calls.EVP_MAC_final(context, digestAt, lengthAt, HASH_LENGTHS[name]), 'EVP_MAC_final');
      return arena.take('digest', HASH_LENGTHS[name]);
    } finally {
      arena.wipe('key', 'digest');
    }
  }

  update(context: Address, bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const { native } = this;
    native.must(native.calls.inPlace.EVP_DigestUpdate(context, bytes, bytes.length), 'EVP_DigestUpdate');
  }

  #init(context: Address, name: HashName): void {
    const { native } = this;
    let digest = this.#digests.get(name);
    if (digest === undefined) {
      digest = native.made(
        native.calls.EVP_MD_fetch(0, DIGEST_NAMES[name], null),
        `fetching ${DIGEST_NAMES[name]}`,
      );
      this.#digests.set(name, digest);
    }
    native.must(native.calls.EVP_DigestInit_ex2(context, digest, 0), 'EVP_DigestInit_ex2');
  }

  #mac(name: HashName): Address {
    const known = this.#macs.get(name);
    if (known !== undefined) return known;
    const { native } = this;
    const { calls, arena } = native;
    const mac = native.made(calls.EVP_MAC_fetch(0, 'HMAC', null), 'fetching HMAC');
    const context = native.made(calls.EVP_MAC_CTX_new(mac), 'EVP_MAC_CTX_new');
    const params = arena.putTextParameter('digest', DIGEST_NAMES[name]);
    native.must(calls.EVP_MAC_CTX_set_params(context, params), 'EVP_MAC_CTX_set_params');
    this.#macs.set(name, context);
    return context;
  }
}

function finish(native: Native, context: Address, name: HashName): Uint8Array {
  native.must(
    native.calls.EVP_DigestFinal_ex(context, native.arena.address('digest'), 0),
    'EVP_DigestFinal_ex',
  );
  return native.arena.take('digest', HASH_LENGTHS[name]);
}
