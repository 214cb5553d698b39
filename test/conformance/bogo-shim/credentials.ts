import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type Credential, SCHEMES, type SchemeName, type Signer } from '#handshake';
import { nodeSigner } from '#handshake/crypto';
import { issuerOf } from './der.ts';
import type { CredentialOptions, Options } from './flags.ts';
import type { Memory } from './memory.ts';
import { NO_ML_DSA, type Seen } from './verifier.ts';

/** The default credential, given without `-new-x509-credential`, is used only where it is the only one. */
export function credentialsOf(options: Options, seen: Seen, memory: Memory): Credential[] {
  const certificates = options.credentials.filter(({ certificateFile }) => certificateFile !== undefined);
  const listed = certificates.filter(({ index }) => index >= 0);
  const used =
    listed.length > 0 ? [...listed, ...certificates.filter(({ index }) => index < 0)] : certificates;
  return used.map((each) => credentialOf(each, options, seen, memory));
}

/** The certificates of a PEM file, in its order. */
export function readChain(file: string): X509Certificate[] {
  const blocks =
    readFileSync(file, 'utf8').match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => new X509Certificate(block));
}

/** RSA_BITS of the engine. */
const LEAST_RSA_BITS = 2048;

function credentialOf(wanted: CredentialOptions, options: Options, seen: Seen, memory: Memory): Credential {
  const key = createPrivateKey(readFileSync(wanted.keyFile!));
  const signer = signerFor(key, memory);
  const certificates = readChain(wanted.certificateFile!).map(({ raw }) => new Uint8Array(raw));
  const staples = wanted.ocspResponse !== undefined && !options.has('decline-ocsp-callback');
  return {
    chain: certificates,
    notAfter: Number.MAX_SAFE_INTEGER,
    signer: signerOf(narrow(signer, wanted.signingPreferences), wanted.index, options, seen),
    ...(wanted.mustMatchIssuer ? { issuers: certificates.map(issuerOf) } : {}),
    ...(staples ? { ocspResponse: wanted.ocspResponse } : {}),
  };
}

/** For a key that the engine does not use, a signer that can do nothing: whether the case is for it shows first. */
function signerFor(key: KeyObject, memory: Memory): Signer {
  const { asymmetricKeyType: type = '', asymmetricKeyDetails: details } = key;
  if (type.startsWith('ml-dsa')) memory.unimplemented ??= NO_ML_DSA;
  else if ((details?.modulusLength ?? LEAST_RSA_BITS) >= LEAST_RSA_BITS) return nodeSigner(key);
  else memory.unimplemented ??= 'RSA keys of less than 2048 bits are not used';
  return { schemes: [], sign: () => Promise.reject(new Error(memory.unimplemented)) };
}

/**
 * A signer that keeps to a case's preferences. What is no signature scheme of TLS 1.3 can't be used by it, so a case
 * that prefers nothing else has a signer without schemes.
 */
function narrow(signer: Signer, preferences: readonly number[]): Signer {
  if (preferences.length === 0) return signer;
  return { ...signer, schemes: preferences.map(schemeName).filter((name) => name !== undefined) };
}

export function schemeName(id: number): SchemeName | undefined {
  return (Object.keys(SCHEMES) as SchemeName[]).find((name) => SCHEMES[name].id === id);
}

function signerOf(signer: Signer, index: number, options: Options, seen: Seen): Signer {
  if (options.has('fail-cert-callback')) {
    return { ...signer, sign: () => Promise.reject(new Error('the case asks for it')) };
  }
  return {
    ...signer,
    sign(scheme, message) {
      seen.selectedCredential = index;
      const signature = signer.sign(scheme, message);
      return options.has('async') ? Promise.resolve(signature) : signature;
    },
  };
}
