import { concat, EMPTY } from '#runtime';
import { HASH_LENGTHS, type HashName } from '../suites.ts';
import type { CryptoProvider } from './provider.ts';

/** RFC 5869 2.2: PRK = HMAC-Hash(salt, IKM). The result is secret. */
export function hkdfExtract(
  crypto: CryptoProvider,
  hash: HashName,
  salt: Uint8Array,
  keyMaterial: Uint8Array,
): Uint8Array {
  return crypto.hmac(hash, salt, keyMaterial);
}

/** RFC 5869 2.3: T(n) = HMAC(PRK, T(n-1) | info | n), cut to `length`: 255 hashes at most. The result is secret. */
export function hkdfExpand(
  crypto: CryptoProvider,
  hash: HashName,
  key: Uint8Array,
  info: Uint8Array,
  length: number,
): Uint8Array {
  if (length <= HASH_LENGTHS[hash]) {
    // One block, as everything in a handshake is.
    const message = new Uint8Array(info.length + 1);
    message.set(info);
    message[info.length] = 1;
    const only = crypto.hmac(hash, key, message);
    if (length === only.length) return only;
    // Not `slice`: a Buffer's is a view.
    const cut = Uint8Array.from(only.subarray(0, length));
    only.fill(0);
    return cut;
  }
  const output = new Uint8Array(length);
  let block: Uint8Array = EMPTY;
  let filled = 0;
  for (let counter = 1; filled < length; counter += 1) {
    if (counter > 255) throw new Error(`HKDF gives 255 blocks, not ${length} bytes`);
    block = crypto.hmac(hash, key, concat(block, info, Uint8Array.of(counter)));
    const take = Math.min(block.length, length - filled);
    output.set(block.subarray(0, take), filled);
    filled += take;
  }
  block.fill(0);
  return output;
}
