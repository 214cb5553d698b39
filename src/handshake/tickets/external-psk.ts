import { concat } from '#runtime';
import type { CryptoProvider } from '../crypto/provider.ts';
import { Secret } from '../crypto/secret.ts';
import { TLS13 } from '../extensions/supported-versions.ts';
import { DEFAULT_SUITES, type HashName, type Suite, SUITES } from '../suites.ts';
import { Deriver } from '../tls13/key-schedule.ts';
import { u16, vector16 } from '../wire/writer.ts';

/** A key that two sides agreed upon outside of TLS (RFC 9258 3). Not for the mesh: it names no workload. */
export interface ExternalPsk {
  /** external_identity: sent in the open. */
  readonly identity: Uint8Array;
  /** At least 16 bytes of entropy (RFC 9257 6): a password is not one. */
  readonly key: Uint8Array;
  /** What both sides know of the use, such as an agreed name; may be empty. */
  readonly context: Uint8Array;
  /** The hash that the key was provisioned with; SHA-256 unless agreed otherwise. */
  readonly hash?: HashName;
}

/** RFC 9258 5.1: one external key becomes a key for each hash, so none serves two protocols or two hashes. */
export interface ImportedPsk {
  readonly external: ExternalPsk;
  /** ImportedIdentity, as it stands in pre_shared_key. */
  readonly identity: Uint8Array;
  readonly secret: Secret;
  readonly suite: Suite;
}

/** RFC 9258 5.1: target_kdf, by hash (IANA: TLS KDF Identifiers). */
const KDFS: Readonly<Record<HashName, number>> = { sha256: 0x0001, sha384: 0x0002 };

/** The keys for TLS 1.3 with each hash. Their secrets are the caller's to wipe. */
export function importPsk(crypto: CryptoProvider, external: ExternalPsk): readonly ImportedPsk[] {
  const source = new Deriver(crypto, suiteOf(external.hash ?? 'sha256'));
  // epskx = HKDF-Extract(0, epsk)
  const extracted = source.extract(new Uint8Array(source.suite.hashLength), external.key);
  const hashes = Object.keys(KDFS) as HashName[];
  const imported = hashes.map((hash) => {
    const suite = suiteOf(hash);
    const identity = importedIdentity(external, hash);
    // ipskx = HKDF-Expand-Label(epskx, "derived psk", Hash(ImportedIdentity), L)
    const context = crypto.hash(source.suite.hash, identity);
    const secret = new Secret(source.expandLabel(extracted, 'derived psk', context, suite.hashLength));
    return { external, identity, secret, suite };
  });
  extracted.wipe();
  return imported;
}

/** RFC 9258 5.1: struct { external_identity<1..2^16-1>; context<0..2^16-1>; target_protocol; target_kdf }. */
function importedIdentity({ identity, context }: ExternalPsk, hash: HashName): Uint8Array {
  return concat(vector16(identity), vector16(context), u16(TLS13), u16(KDFS[hash]));
}

function suiteOf(hash: HashName): Suite {
  return SUITES[DEFAULT_SUITES.find((name) => SUITES[name].hash === hash)!];
}
