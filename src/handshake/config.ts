import type { Credential } from './credentials/signer.ts';
import type { CryptoProvider } from './crypto/provider.ts';
import type { GroupName } from './groups.ts';
import type { KeyLog } from './keylog.ts';
import type { SchemeName } from './schemes.ts';
import type { SuiteName } from './suites.ts';
import type { PeerVerifier, VerifiedPeer } from './verify/peer-verifier.ts';

interface CommonConfig {
  readonly crypto: CryptoProvider;
  /** Protocols offered (client) or accepted, best first (server). Empty: no ALPN; else no overlap is a failure. */
  readonly alpn: readonly string[];
  /** Best first. Default: all of DEFAULT_SUITES. */
  readonly suites?: readonly SuiteName[];
  /** Best first; a client sends a key share for the first only. Default: all of DEFAULT_GROUPS. */
  readonly groups?: readonly GroupName[];
  /** What we accept in the peer's CertificateVerify, best first. Default: all of DEFAULT_SCHEMES. */
  readonly schemes?: readonly SchemeName[];
  /** Records sealed under one key before it is replaced (RFC 8446 5.5). Default: RECORDS_PER_KEY of limits.ts. */
  readonly recordsPerKey?: number;
  /** Off unless given. Whoever sets it can read the traffic. */
  readonly keyLog?: KeyLog;
}

export interface ClientConfig<Peer extends VerifiedPeer = VerifiedPeer> extends CommonConfig {
  /** server_name to send (RFC 6066 3): an ASCII host name, never an address. */
  readonly serverName?: string;
  /** Shown when the server asks. Without one an empty Certificate is sent. */
  readonly credential?: Credential;
  readonly verifier: PeerVerifier<Peer>;
}

export type ClientAuthentication<Peer extends VerifiedPeer> =
  | { readonly mode: 'none' }
  /** `required` false: a client without a certificate is let through with `peer` undefined. */
  | { readonly mode: 'request'; readonly required: boolean; readonly verifier: PeerVerifier<Peer> };

export interface ServerConfig<Peer extends VerifiedPeer = VerifiedPeer> extends CommonConfig {
  readonly credential: Credential;
  /** If set, a ClientHello with another server_name, or none, is refused (`server-name-mismatch`). */
  readonly expectedServerName?: string;
  readonly clientAuthentication: ClientAuthentication<Peer>;
}
