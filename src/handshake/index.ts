/** The door of the TLS engine. `#handshake/crypto` has the providers, `#handshake/stream` the sockets. */
export { ALERTS, type AlertName } from './alert.ts';
export type { ClientAuthentication, ClientConfig, ServerConfig } from './config.ts';
export { ClientConnection, ServerConnection } from './connection.ts';
export type { Credential, Signer } from './credentials/signer.ts';
export { type ConnectionEvent, ignoreEvents, type Observer, type Operation } from './events.ts';
export { type GroupName, GROUPS } from './groups.ts';
export type { KeyLog } from './keylog.ts';
export type { MessageName } from './messages/names.ts';
export { type Blame, type Reason, type ReasonRow, type Refusal, reasonTable, TlsError } from './reason.ts';
export type { SessionUse } from './port.ts';
export { REASONS, type ReasonCode } from './reasons.ts';
export { type CertificateSchemeName, type KeyType, type SchemeName, SCHEMES } from './schemes.ts';
export { TRANSITIONS } from './states.ts';
export { type SuiteName, SUITES } from './suites.ts';
export type { SessionDecline } from './tickets/decline.ts';
export type { PeerVerifier, PresentedChain, VerifiedPeer } from './verify/peer-verifier.ts';
