import type { SchemeName } from '../schemes.ts';

/** Holds a private key, or knows who does. The engine never sees the key. */
export interface Signer {
  /** What this key can sign with, best first. */
  readonly schemes: readonly SchemeName[];
  /** Signs `message` (not its hash). May answer later: the connection pauses meanwhile. */
  sign(scheme: SchemeName, message: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

/** One credential or several, as a configuration gives them. */
export type Credentials = Credential | readonly Credential[];

export function credentialList(given: Credentials | undefined): readonly Credential[] {
  if (given === undefined) return [];
  return 'signer' in given ? [given] : given;
}

/**
 * When the first of them ends, so that a session may end then whichever was shown; `unknown` for those that do not say,
 * and if there are none.
 */
export function earliestNotAfter(given: Credentials | undefined, unknown: number): number {
  const ends = credentialList(given).map(({ notAfter }) => notAfter ?? unknown);
  return ends.length === 0 ? unknown : Math.min(...ends);
}

/** What one side shows to prove who it is. */
export interface Credential {
  /** DER certificates, leaf first, without the root. */
  readonly chain: readonly Uint8Array[];
  readonly signer: Signer;
  /** When the leaf ends, milliseconds since the Unix epoch. Sessions need it: none outlives the certificates. */
  readonly notAfter?: number;
  /**
   * DER Names of those who issued the certificates of `chain`. If given, this is only shown to a peer that names one of
   * them in certificate_authorities (RFC 8446 4.2.4); if not, to any.
   */
  readonly issuers?: readonly Uint8Array[];
  /**
   * Host names that a server shows this for, `*.` standing for one label. If given, a client that asks for another is
   * not shown it; credentials without names are for all others (RFC 6066 3).
   */
  readonly serverNames?: readonly string[];
  /** DER OCSPResponse (RFC 6960) about the leaf, sent to peers that ask for one. Not looked into here. */
  readonly ocspResponse?: Uint8Array;
}
