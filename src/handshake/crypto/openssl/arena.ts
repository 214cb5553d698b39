import type { Address } from './libcrypto.ts';

/** Parts of the arena and their length, bytes. Each call puts its arguments in and takes its results out at once. */
const REGIONS = {
  /** A `size_t` or `int` that a function writes. */
  length: 8,
  length2: 8,
  /** A pointer that a function reads or writes. */
  pointer: 8,
  nonce: 12,
  /** A record's header is 5 bytes; tests and tickets have more. */
  additionalData: 512,
  tag: 16,
  digest: 64,
  /** AEAD and HMAC keys. */
  key: 512,
  secret: 128,
  /** An ML-KEM encapsulation key or ciphertext, an encoded point, a DER key of the longest RSA that is taken. */
  publicKey: 8192,
  /** A PKCS #8 key of RSA with 8,192 bits. */
  privateKey: 16_384,
  signature: 2048,
  /** What is signed in TLS 1.3: 64 spaces, a label and a digest; in a certificate, its body. */
  message: 131_072,
  text: 256,
  params: 128,
} as const;

export type Region = keyof typeof REGIONS;

const ALIGNMENT = 16;
const OFFSETS = offsets();
export const ARENA_LENGTH = OFFSETS.total;

/**
 * Memory at fixed addresses, for arguments of native calls: passing a number is cheaper than passing a buffer, and nothing
 * can be collected or moved under a call. The only place where lengths are checked against what native code will write.
 */
export class Arena {
  readonly #base: Address;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  constructor(memory: { readonly address: Address; readonly bytes: Uint8Array<ArrayBuffer> }) {
    if (memory.bytes.length < ARENA_LENGTH) throw new Error('the arena is too small');
    this.#base = memory.address;
    this.#bytes = memory.bytes;
    this.#view = new DataView(memory.bytes.buffer, memory.bytes.byteOffset, memory.bytes.length);
  }

  address(region: Region): Address {
    return this.#base + OFFSETS.of[region];
  }

  /** What fits into a region, bytes. */
  room(region: Region): number {
    return REGIONS[region];
  }

  /** Writes `bytes` into a region and answers its address. Throws if they don't fit. */
  put(region: Region, bytes: Uint8Array): Address {
    if (bytes.length > REGIONS[region]) {
      throw new Error(`${bytes.length} bytes do not fit into ${region} (${REGIONS[region]})`);
    }
    this.#bytes.set(bytes, OFFSETS.of[region]);
    return this.#base + OFFSETS.of[region];
  }

  /** A copy of a region's first bytes. */
  take(region: Region, length: number): Uint8Array {
    this.#within(region, length);
    const start = OFFSETS.of[region];
    return this.#bytes.slice(start, start + length);
  }

  copyTo(region: Region, length: number, out: Uint8Array, offset: number): void {
    this.#within(region, length);
    const start = OFFSETS.of[region];
    out.set(this.#bytes.subarray(start, start + length), offset);
  }

  wipe(...regions: readonly Region[]): void {
    for (const region of regions) {
      const start = OFFSETS.of[region];
      this.#bytes.fill(0, start, start + REGIONS[region]);
    }
  }

  /** Sets a length that a function reads as its room and overwrites with what it wrote. */
  setLength(region: 'length' | 'length2', of: Region): Address {
    this.#view.setBigUint64(OFFSETS.of[region], BigInt(REGIONS[of]), true);
    return this.address(region);
  }

  length(region: 'length' | 'length2'): number {
    return Number(this.#view.getBigUint64(OFFSETS.of[region], true));
  }

  setPointer(to: Address): Address {
    this.#view.setBigUint64(OFFSETS.of.pointer, BigInt(to), true);
    return this.address('pointer');
  }

  pointer(): Address {
    return Number(this.#view.getBigUint64(OFFSETS.of.pointer, true));
  }

  /** A text with a zero behind it, as C has them. */
  text(): string {
    const start = OFFSETS.of.text;
    const end = this.#bytes.indexOf(0, start);
    return Buffer.from(this.#bytes.subarray(start, end)).toString('latin1');
  }

  /** OSSL_PARAM[2] (openssl/core.h) with one UTF-8 text: its name and value follow in the same region. */
  putTextParameter(name: string, value: string): Address {
    const start = OFFSETS.of.params;
    const texts = 2 * PARAMETER_LENGTH;
    const valueAt = texts + name.length + 1;
    this.wipe('params');
    if (valueAt + value.length + 1 > REGIONS.params) throw new Error('the parameter does not fit');
    this.#bytes.set(Buffer.from(`${name}\0${value}\0`, 'latin1'), start + texts);
    this.#view.setBigUint64(start, BigInt(this.#base + start + texts), true);
    this.#view.setUint32(start + 8, UTF8_STRING, true);
    this.#view.setBigUint64(start + 16, BigInt(this.#base + start + valueAt), true);
    this.#view.setBigUint64(start + 24, BigInt(value.length), true);
    return this.#base + start;
  }

  /** A function that wrote more than its region has has overwritten its neighbour: nothing here can be believed then. */
  #within(region: Region, length: number): void {
    if (!(length >= 0 && length <= REGIONS[region])) {
      throw new Error(`${length} bytes were written into ${region} (${REGIONS[region]})`);
    }
  }
}

const PARAMETER_LENGTH = 40;
/** OSSL_PARAM_UTF8_STRING (openssl/core.h). */
const UTF8_STRING = 4;

function offsets(): { readonly of: Readonly<Record<Region, number>>; readonly total: number } {
  const of: Partial<Record<Region, number>> = {};
  let total = 0;
  for (const region of Object.keys(REGIONS) as Region[]) {
    of[region] = total;
    total += Math.ceil(REGIONS[region] / ALIGNMENT) * ALIGNMENT;
  }
  return { of: of as Record<Region, number>, total };
}
