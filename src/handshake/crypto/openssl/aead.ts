import { type AeadName, KEY_LENGTHS } from '../../suites.ts';
import type { Aead } from '../provider.ts';
import type { Address } from './libcrypto.ts';
import type { Native } from './native.ts';

const NAMES: Readonly<Record<AeadName, string>> = {
  'aes-128-gcm': 'AES-128-GCM',
  'aes-256-gcm': 'AES-256-GCM',
  'chacha20-poly1305': 'ChaCha20-Poly1305',
};
const NONCE_LENGTH = 12;
const TAG_LENGTH = 16;
/** EVP_CTRL_AEAD_GET_TAG and _SET_TAG (openssl/evp.h). */
const GET_TAG = 0x10;
const SET_TAG = 0x11;

/**
 * The two contexts of one algorithm, one to seal and one to open, shared by every key: a connection that is idle holds its
 * key bytes and no native memory. A context is given a key again only when another used it in between.
 */
export class SharedCiphers {
  readonly native: Native;
  readonly name: AeadName;
  readonly #cipher: Address;
  readonly #seal: Slot = { context: 0, owner: undefined };
  readonly #open: Slot = { context: 0, owner: undefined };

  constructor(native: Native, name: AeadName) {
    this.native = native;
    this.name = name;
    this.#cipher = native.made(
      native.calls.EVP_CIPHER_fetch(0, NAMES[name], null),
      `fetching ${NAMES[name]}`,
    );
  }

  /** A context with the owner's key and this nonce, ready for additional data. */
  ready(direction: 'seal' | 'open', owner: OpensslAead, key: Uint8Array, nonce: Uint8Array): Address {
    const { calls, arena } = this.native;
    const slot = direction === 'seal' ? this.#seal : this.#open;
    const encrypt = direction === 'seal' ? 1 : 0;
    const nonceAt = arena.put('nonce', nonce);
    if (slot.owner === owner) {
      this.native.must(calls.EVP_CipherInit_ex2(slot.context, 0, 0, nonceAt, encrypt, 0), 'setting a nonce');
      return slot.context;
    }
    const isNew = slot.context === 0;
    if (isNew) slot.context = this.native.made(calls.EVP_CIPHER_CTX_new(), 'EVP_CIPHER_CTX_new');
    slot.owner = undefined;
    const keyAt = arena.put('key', key);
    try {
      const cipher = isNew ? this.#cipher : 0;
      this.native.must(
        calls.EVP_CipherInit_ex2(slot.context, cipher, keyAt, nonceAt, encrypt, 0),
        'setting a key',
      );
    } finally {
      arena.wipe('key');
    }
    slot.owner = owner;
    return slot.context;
  }

  /** After a failure nothing is known about a context: its next user gets another. */
  poison(direction: 'seal' | 'open'): void {
    const slot = direction === 'seal' ? this.#seal : this.#open;
    if (slot.context !== 0) this.native.calls.EVP_CIPHER_CTX_free(slot.context);
    slot.context = 0;
    slot.owner = undefined;
  }

  /** The owner's key is not to stay in a context either. */
  forget(owner: OpensslAead): void {
    if (this.#seal.owner === owner) this.poison('seal');
    if (this.#open.owner === owner) this.poison('open');
  }
}

interface Slot {
  context: Address;
  owner: OpensslAead | undefined;
}

export class OpensslAead implements Aead {
  readonly tagLength = TAG_LENGTH;
  readonly #ciphers: SharedCiphers;
  readonly #key: Uint8Array;
  #wiped = false;

  constructor(ciphers: SharedCiphers, key: Uint8Array) {
    if (key.length !== KEY_LENGTHS[ciphers.name]) {
      throw new Error(`a key of ${ciphers.name} has ${KEY_LENGTHS[ciphers.name]} bytes, not ${key.length}`);
    }
    this.#ciphers = ciphers;
    this.#key = key;
  }

  seal(
    nonce: Uint8Array,
    additionalData: Uint8Array,
    plaintext: Uint8Array,
    out: Uint8Array,
    offset: number,
  ): void {
    this.#check(nonce);
    const { length } = plaintext;
    const end = offset + length;
    if (offset < 0 || end + TAG_LENGTH > out.length) throw new RangeError('the sealed record does not fit');
    const target = out.subarray(offset, end);
    // libcrypto takes the same place or one apart from it, and refuses what overlaps in part.
    if (plaintext.buffer !== out.buffer || plaintext.byteOffset !== target.byteOffset) target.set(plaintext);
    const { native } = this.#ciphers;
    const { calls, arena } = native;
    try {
      const context = this.#ciphers.ready('seal', this, this.#key, nonce);
      this.#authenticate(context, additionalData);
      this.#transform(context, target, target);
      const lengthAt = arena.address('length');
      native.must(calls.EVP_CipherFinal_ex(context, arena.address('digest'), lengthAt), 'sealing');
      native.must(
        calls.EVP_CIPHER_CTX_ctrl(context, GET_TAG, TAG_LENGTH, arena.address('tag')),
        'reading a tag',
      );
      arena.copyTo('tag', TAG_LENGTH, out, end);
    } catch (error) {
      // What was to be sealed must not leave as it was.
      out.fill(0, offset, end + TAG_LENGTH);
      this.#ciphers.poison('seal');
      throw error;
    }
  }

  open(nonce: Uint8Array, additionalData: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
    this.#check(nonce);
    const length = sealed.length - TAG_LENGTH;
    if (length < 0) return undefined;
    const plaintext = sealed.subarray(0, length);
    const { native } = this.#ciphers;
    const { calls, arena } = native;
    try {
      const context = this.#ciphers.ready('open', this, this.#key, nonce);
      this.#authenticate(context, additionalData);
      this.#transform(context, plaintext, plaintext);
      const tagAt = arena.put('tag', sealed.subarray(length));
      native.must(calls.EVP_CIPHER_CTX_ctrl(context, SET_TAG, TAG_LENGTH, tagAt), 'setting a tag');
      const [restAt, lengthAt] = [arena.address('digest'), arena.address('length')];
      if (calls.EVP_CipherFinal_ex(context, restAt, lengthAt) === 1) return plaintext;
    } catch (error) {
      sealed.fill(0);
      this.#ciphers.poison('open');
      throw error;
    }
    // What was written is not what the peer wrote: nobody is to see it.
    sealed.fill(0);
    native.forgetErrors();
    this.#ciphers.poison('open');
    return undefined;
  }

  wipe(): void {
    this.#key.fill(0);
    this.#wiped = true;
    this.#ciphers.forget(this);
  }

  #check(nonce: Uint8Array): void {
    // A wiped key is all zeros: sealing under it would be sealing in the open.
    if (this.#wiped) throw new Error('the key was wiped');
    if (nonce.length !== NONCE_LENGTH) throw new RangeError(`a nonce has ${NONCE_LENGTH} bytes`);
  }

  #authenticate(context: Address, additionalData: Uint8Array): void {
    if (additionalData.length === 0) return;
    const { native } = this.#ciphers;
    const at = native.arena.put('additionalData', additionalData);
    const lengthAt = native.arena.address('length');
    native.must(
      native.calls.EVP_CipherUpdate(context, 0, lengthAt, at, additionalData.length),
      'authenticating',
    );
  }

  /** Nothing is passed for no bytes: libcrypto would take a null pointer for the end. */
  #transform(context: Address, out: Uint8Array, data: Uint8Array): void {
    if (data.length === 0) return;
    const { native } = this.#ciphers;
    const lengthAt = native.arena.address('length');
    native.must(
      native.calls.inPlace.EVP_CipherUpdate(context, out, lengthAt, data, data.length),
      'transforming a record',
    );
  }
}
