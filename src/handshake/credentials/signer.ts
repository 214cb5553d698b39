import type { SchemeName } from '../schemes.ts';

/** Holds a private key, or knows who does. The engine never sees the key. */
export interface Signer {
  /** What this key can sign with, best first. */
  readonly schemes: readonly SchemeName[];
  /** Signs `message` (not its hash). May answer later: the connection pauses meanwhile. */
  sign(scheme: SchemeName, message: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

/** What one side shows to prove who it is. */
export interface Credential {
  /** DER certificates, leaf first, without the root. */
  readonly chain: readonly Uint8Array[];
  readonly signer: Signer;
  /** When the leaf ends, milliseconds since the Unix epoch. Sessions need it: none outlives the certificates. */
  readonly notAfter?: number;
}
