import type { Credentials } from './credentials/signer.ts';
import type { CryptoProvider } from './crypto/provider.ts';
import type { GroupName } from './groups.ts';
import type { KeyLog } from './keylog.ts';
import type { CertificateSchemeName, SchemeName } from './schemes.ts';
import type { SuiteName } from './suites.ts';
import type { ExternalPsk } from './tickets/external-psk.ts';
import type { ClientSessions, ServerSessions } from './tickets/options.ts';
import type { PeerVerifier, VerifiedPeer } from './verify/peer-verifier.ts';

interface CommonConfig {
  readonly crypto: CryptoProvider;
  /** Protocols offered (client) or accepted, best first (server). Empty: no ALPN; else no overlap is a failure. */
  readonly alpn: readonly string[];
  /**
   * Whether a peer that does not negotiate a protocol at all is refused. RFC 7301 allows it, and then both sides have
   * to know by other means what they speak. Default: true.
   */
  readonly alpnRequired?: boolean;
  /** DER Names of the authorities whose certificates are accepted, told to the peer (RFC 8446 4.2.4). Default: none. */
  readonly certificateAuthorities?: readonly Uint8Array[];
  /** Asks for an OCSP response with the peer's certificate, for the verifier (RFC 8446 4.4.2.1). Default: false. */
  readonly requestOcspResponse?: boolean;
  /**
   * Best first. Default: all of DEFAULT_SUITES. Of this list and the next two, a default leaves out what `crypto` does
   * not offer; to ask for it by name is a ConfigError.
   */
  readonly suites?: readonly SuiteName[];
  /** Best first. Default: all of DEFAULT_GROUPS. */
  readonly groups?: readonly GroupName[];
  /** What we accept in the peer's CertificateVerify, best first. Default: all of DEFAULT_SCHEMES. */
  readonly schemes?: readonly SchemeName[];
  /**
   * What the verifier accepts as signatures in the peer's certificates (RFC 8446 4.2.3: signature_algorithms_cert).
   * Default: all of DEFAULT_CERTIFICATE_SCHEMES.
   */
  readonly certificateSchemes?: readonly CertificateSchemeName[];
  /** Records sealed under one key before it is replaced (RFC 8446 5.5). Default: RECORDS_PER_KEY of limits.ts. */
  readonly recordsPerKey?: number;
  /** Most bytes of content in a record that we send, 64 to 16384 (the default). A peer may ask for less (RFC 8449). */
  readonly maxFragment?: number;
  /**
   * Pads application data to a multiple of this many bytes, at most `maxFragment` (RFC 8446 5.4). Default: no padding.
   */
  readonly padTo?: number;
  /** Off unless given. Whoever sets it can read the traffic. */
  readonly keyLog?: KeyLog;
}

export interface ClientConfig<Peer extends VerifiedPeer = VerifiedPeer> extends CommonConfig {
  /**
   * The groups to send key shares of: any of `groups`, in its order. None costs a round trip always, one that the
   * server does not take costs one then (RFC 8446 4.2.8). Default: those of DEFAULT_KEY_SHARES that are in `groups`,
   * or else its first.
   */
  readonly keyShares?: readonly GroupName[];
  /** server_name to send (RFC 6066 3): an ASCII host name, never an address. */
  readonly serverName?: string;
  /**
   * Shown when the server asks; of several the first that suits it. Without any an empty Certificate is sent; with
   * some of which none suits, the connection ends.
   */
  readonly credential?: Credentials;
  readonly verifier: PeerVerifier<Peer>;
  readonly sessions?: ClientSessions;
  /** Ask for early data when a session allows it (RFC 8446 4.2.10); sent by `writeEarly`. Default false. */
  readonly earlyData?: boolean;
  /**
   * Offered instead of certificates (RFC 9258). Whoever knows the key is believed to be the server: not together with
   * a credential or sessions.
   */
  readonly externalPsks?: readonly ExternalPsk[];
}

export type ClientAuthentication<Peer extends VerifiedPeer> =
  | { readonly mode: 'none' }
  /** `required` false: a client without a certificate is let through with `peer` undefined. */
  | { readonly mode: 'request'; readonly required: boolean; readonly verifier: PeerVerifier<Peer> };

export interface ServerConfig<Peer extends VerifiedPeer = VerifiedPeer> extends CommonConfig {
  /** Of several the first that suits the client. None only with `externalPsks`. */
  readonly credential: Credentials;
  /** If set, a ClientHello with another server_name, or none, is refused (`server-name-mismatch`). */
  readonly expectedServerName?: string;
  readonly clientAuthentication: ClientAuthentication<Peer>;
  readonly sessions?: ServerSessions;
  /**
   * Keys that stand for a client's authentication (RFC 9258). Not where certificates are asked for: a key names no
   * workload, so a listener of the mesh cannot have any.
   */
  readonly externalPsks?: readonly ExternalPsk[];
}
