/**
 * The functions of libcrypto that this provider calls: public ones of OpenSSL 3 (man 7 evp), found in the library that
 * Node itself runs on. Addresses are numbers; 0 is NULL. Nothing outside this folder sees one.
 */
export interface Libcrypto {
  OPENSSL_version_major(): number;
  ERR_peek_last_error(): number;
  ERR_error_string_n(code: number, text: Address, length: number): void;
  ERR_clear_error(): void;

  EVP_CIPHER_fetch(library: 0, name: string, properties: null): Address;
  EVP_CIPHER_CTX_new(): Address;
  EVP_CIPHER_CTX_free(context: Address): void;
  EVP_CipherInit_ex2(
    context: Address,
    cipher: Address,
    key: Address,
    iv: Address,
    encrypt: 0 | 1,
    params: 0,
  ): number;
  /** Data that stands in the arena. */
  EVP_CipherUpdate(context: Address, out: Address, outLength: Address, data: Address, length: number): number;
  EVP_CipherFinal_ex(context: Address, out: Address, outLength: Address): number;
  EVP_CIPHER_CTX_ctrl(context: Address, type: number, length: number, data: Address): number;

  EVP_MD_fetch(library: 0, name: string, properties: null): Address;
  EVP_MD_CTX_new(): Address;
  EVP_MD_CTX_free(context: Address): void;
  EVP_MD_CTX_reset(context: Address): number;
  EVP_MD_CTX_copy_ex(out: Address, context: Address): number;
  EVP_DigestInit_ex2(context: Address, digest: Address, params: 0): number;
  EVP_DigestFinal_ex(context: Address, out: Address, outLength: 0): number;

  EVP_MAC_fetch(library: 0, name: string, properties: null): Address;
  EVP_MAC_CTX_new(mac: Address): Address;
  EVP_MAC_CTX_set_params(context: Address, params: Address): number;
  EVP_MAC_init(context: Address, key: Address, keyLength: number, params: 0): number;
  EVP_MAC_final(context: Address, out: Address, outLength: Address, outSize: number): number;

  EVP_PKEY_free(key: Address): void;
  EVP_PKEY_new(): Address;
  EVP_PKEY_is_a(key: Address, name: string): number;
  EVP_PKEY_get_bits(key: Address): number;
  EVP_PKEY_get_group_name(key: Address, name: Address, size: number, length: Address): number;
  EVP_PKEY_copy_parameters(to: Address, from: Address): number;
  EVP_PKEY_set1_encoded_public_key(key: Address, data: Address, length: number): number;
  EVP_PKEY_get_octet_string_param(
    key: Address,
    name: string,
    out: Address,
    size: number,
    length: Address,
  ): number;
  EVP_PKEY_new_raw_public_key_ex(
    library: 0,
    type: string,
    properties: null,
    data: Address,
    length: number,
  ): Address;
  d2i_PUBKEY(key: 0, data: Address, length: number): Address;
  d2i_AutoPrivateKey(key: 0, data: Address, length: number): Address;
  EVP_PKEY_CTX_new_from_name(library: 0, name: string, properties: null): Address;
  EVP_PKEY_CTX_new_from_pkey(library: 0, key: Address, properties: null): Address;
  EVP_PKEY_CTX_free(context: Address): void;
  EVP_PKEY_CTX_set_group_name(context: Address, name: string): number;
  EVP_PKEY_CTX_set_rsa_padding(context: Address, padding: number): number;
  EVP_PKEY_CTX_set_rsa_pss_saltlen(context: Address, length: number): number;
  EVP_PKEY_keygen_init(context: Address): number;
  EVP_PKEY_generate(context: Address, key: Address): number;
  EVP_PKEY_derive_init(context: Address): number;
  EVP_PKEY_derive_set_peer_ex(context: Address, peer: Address, validate: 0 | 1): number;
  EVP_PKEY_derive(context: Address, out: Address, length: Address): number;
  EVP_PKEY_encapsulate_init(context: Address, params: 0): number;
  EVP_PKEY_encapsulate(
    context: Address,
    ciphertext: Address,
    ciphertextLength: Address,
    secret: Address,
    secretLength: Address,
  ): number;
  EVP_PKEY_decapsulate_init(context: Address, params: 0): number;
  EVP_PKEY_decapsulate(
    context: Address,
    secret: Address,
    secretLength: Address,
    ciphertext: Address,
    ciphertextLength: number,
  ): number;
  EVP_DigestSignInit_ex(
    context: Address,
    keyContext: Address,
    digest: string | null,
    library: 0,
    properties: null,
    key: Address,
    params: 0,
  ): number;
  EVP_DigestSign(context: Address, out: Address, outLength: Address, data: Address, length: number): number;
  EVP_DigestVerifyInit_ex(
    context: Address,
    keyContext: Address,
    digest: string | null,
    library: 0,
    properties: null,
    key: Address,
    params: 0,
  ): number;
  EVP_DigestVerify(
    context: Address,
    signature: Address,
    signatureLength: number,
    data: Address,
    length: number,
  ): number;

  /** The same functions for data of any length, where it stands. */
  readonly inPlace: {
    EVP_CipherUpdate(
      context: Address,
      out: Uint8Array,
      outLength: Address,
      data: Uint8Array,
      length: number,
    ): number;
    EVP_DigestUpdate(context: Address, data: Uint8Array, length: number): number;
    EVP_MAC_update(context: Address, data: Uint8Array, length: number): number;
  };
}

/** Where something stands in the memory of the process; below 2^53 on every processor that Node runs on. */
export type Address = number;

const P = 'uintptr_t';
const SIGNATURES: Readonly<Record<Exclude<keyof Libcrypto, 'inPlace'>, string>> = {
  OPENSSL_version_major: 'unsigned int OPENSSL_version_major()',
  ERR_peek_last_error: 'unsigned long ERR_peek_last_error()',
  ERR_error_string_n: `void ERR_error_string_n(unsigned long, ${P}, size_t)`,
  ERR_clear_error: 'void ERR_clear_error()',
  EVP_CIPHER_fetch: `${P} EVP_CIPHER_fetch(${P}, const char *, const char *)`,
  EVP_CIPHER_CTX_new: `${P} EVP_CIPHER_CTX_new()`,
  EVP_CIPHER_CTX_free: `void EVP_CIPHER_CTX_free(${P})`,
  EVP_CipherInit_ex2: `int EVP_CipherInit_ex2(${P}, ${P}, ${P}, ${P}, int, ${P})`,
  EVP_CipherUpdate: `int EVP_CipherUpdate(${P}, ${P}, ${P}, ${P}, int)`,
  EVP_CipherFinal_ex: `int EVP_CipherFinal_ex(${P}, ${P}, ${P})`,
  EVP_CIPHER_CTX_ctrl: `int EVP_CIPHER_CTX_ctrl(${P}, int, int, ${P})`,
  EVP_MD_fetch: `${P} EVP_MD_fetch(${P}, const char *, const char *)`,
  EVP_MD_CTX_new: `${P} EVP_MD_CTX_new()`,
  EVP_MD_CTX_free: `void EVP_MD_CTX_free(${P})`,
  EVP_MD_CTX_reset: `int EVP_MD_CTX_reset(${P})`,
  EVP_MD_CTX_copy_ex: `int EVP_MD_CTX_copy_ex(${P}, ${P})`,
  EVP_DigestInit_ex2: `int EVP_DigestInit_ex2(${P}, ${P}, ${P})`,
  EVP_DigestFinal_ex: `int EVP_DigestFinal_ex(${P}, ${P}, ${P})`,
  EVP_MAC_fetch: `${P} EVP_MAC_fetch(${P}, const char *, const char *)`,
  EVP_MAC_CTX_new: `${P} EVP_MAC_CTX_new(${P})`,
  EVP_MAC_CTX_set_params: `int EVP_MAC_CTX_set_params(${P}, ${P})`,
  EVP_MAC_init: `int EVP_MAC_init(${P}, ${P}, size_t, ${P})`,
  EVP_MAC_final: `int EVP_MAC_final(${P}, ${P}, ${P}, size_t)`,
  EVP_PKEY_free: `void EVP_PKEY_free(${P})`,
  EVP_PKEY_new: `${P} EVP_PKEY_new()`,
  EVP_PKEY_is_a: `int EVP_PKEY_is_a(${P}, const char *)`,
  EVP_PKEY_get_bits: `int EVP_PKEY_get_bits(${P})`,
  EVP_PKEY_get_group_name: `int EVP_PKEY_get_group_name(${P}, ${P}, size_t, ${P})`,
  EVP_PKEY_copy_parameters: `int EVP_PKEY_copy_parameters(${P}, ${P})`,
  EVP_PKEY_set1_encoded_public_key: `int EVP_PKEY_set1_encoded_public_key(${P}, ${P}, size_t)`,
  EVP_PKEY_get_octet_string_param: `int EVP_PKEY_get_octet_string_param(${P}, const char *, ${P}, size_t, ${P})`,
  EVP_PKEY_new_raw_public_key_ex: `${P} EVP_PKEY_new_raw_public_key_ex(${P}, const char *, const char *, ${P}, size_t)`,
  d2i_PUBKEY: `${P} d2i_PUBKEY(${P}, ${P}, long)`,
  d2i_AutoPrivateKey: `${P} d2i_AutoPrivateKey(${P}, ${P}, long)`,
  EVP_PKEY_CTX_new_from_name: `${P} EVP_PKEY_CTX_new_from_name(${P}, const char *, const char *)`,
  EVP_PKEY_CTX_new_from_pkey: `${P} EVP_PKEY_CTX_new_from_pkey(${P}, ${P}, const char *)`,
  EVP_PKEY_CTX_free: `void EVP_PKEY_CTX_free(${P})`,
  EVP_PKEY_CTX_set_group_name: `int EVP_PKEY_CTX_set_group_name(${P}, const char *)`,
  EVP_PKEY_CTX_set_rsa_padding: `int EVP_PKEY_CTX_set_rsa_padding(${P}, int)`,
  EVP_PKEY_CTX_set_rsa_pss_saltlen: `int EVP_PKEY_CTX_set_rsa_pss_saltlen(${P}, int)`,
  EVP_PKEY_keygen_init: `int EVP_PKEY_keygen_init(${P})`,
  EVP_PKEY_generate: `int EVP_PKEY_generate(${P}, ${P})`,
  EVP_PKEY_derive_init: `int EVP_PKEY_derive_init(${P})`,
  EVP_PKEY_derive_set_peer_ex: `int EVP_PKEY_derive_set_peer_ex(${P}, ${P}, int)`,
  EVP_PKEY_derive: `int EVP_PKEY_derive(${P}, ${P}, ${P})`,
  EVP_PKEY_encapsulate_init: `int EVP_PKEY_encapsulate_init(${P}, ${P})`,
  EVP_PKEY_encapsulate: `int EVP_PKEY_encapsulate(${P}, ${P}, ${P}, ${P}, ${P})`,
  EVP_PKEY_decapsulate_init: `int EVP_PKEY_decapsulate_init(${P}, ${P})`,
  EVP_PKEY_decapsulate: `int EVP_PKEY_decapsulate(${P}, ${P}, ${P}, ${P}, size_t)`,
  EVP_DigestSignInit_ex: `int EVP_DigestSignInit_ex(${P}, ${P}, const char *, ${P}, const char *, ${P}, ${P})`,
  EVP_DigestSign: `int EVP_DigestSign(${P}, ${P}, ${P}, ${P}, size_t)`,
  EVP_DigestVerifyInit_ex: `int EVP_DigestVerifyInit_ex(${P}, ${P}, const char *, ${P}, const char *, ${P}, ${P})`,
  EVP_DigestVerify: `int EVP_DigestVerify(${P}, ${P}, size_t, ${P}, size_t)`,
};
const IN_PLACE: Readonly<Record<keyof Libcrypto['inPlace'], string>> = {
  EVP_CipherUpdate: `int EVP_CipherUpdate(${P}, void *, ${P}, const void *, int)`,
  EVP_DigestUpdate: `int EVP_DigestUpdate(${P}, const void *, size_t)`,
  EVP_MAC_update: `int EVP_MAC_update(${P}, const void *, size_t)`,
};

/** What is called in the process's libcrypto, and memory for it. */
export interface Loaded {
  readonly libcrypto: Libcrypto;
  /** Memory that no collector moves or frees, at `address`. */
  readonly memory: { readonly address: Address; readonly bytes: Uint8Array<ArrayBuffer> };
}

/** Throws where koffi does not load (Node's permission model without --allow-addons) or a function is missing. */
export async function loadLibcrypto(memoryLength: number): Promise<Loaded> {
  const { default: koffi } = await import('koffi');
  // Node's executable exports the OpenSSL that it holds: never a second one beside it.
  const library = koffi.load(null);
  const bind = (signatures: Readonly<Record<string, string>>): Record<string, unknown> =>
    Object.fromEntries(Object.entries(signatures).map(([name, text]) => [name, library.func(text)]));
  const libcrypto = Object.freeze({ ...bind(SIGNATURES), inPlace: bind(IN_PLACE) }) as unknown as Libcrypto;
  const major = libcrypto.OPENSSL_version_major();
  if (major !== OPENSSL_MAJOR) throw new Error(`libcrypto is OpenSSL ${major}, not ${OPENSSL_MAJOR}`);
  const pointer: unknown = koffi.alloc('uint8_t', memoryLength);
  return {
    libcrypto,
    memory: {
      address: Number(koffi.address(pointer)),
      bytes: new Uint8Array(koffi.view(pointer, memoryLength)),
    },
  };
}

const OPENSSL_MAJOR = 3;
