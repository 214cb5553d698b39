import type { CryptoProvider } from './crypto/provider.ts';
import type { Secret } from './crypto/secret.ts';
import type { ConnectionEvent, Operation } from './events.ts';
import type { KeyLogLabel } from './keylog.ts';
import type { MessageName } from './messages/names.ts';
import type { EarlyInput } from './record/early-input.ts';
import type { EarlyOutput } from './record/early-output.ts';
import type { HandshakeAligned } from './record/joiner.ts';
import type { Suite } from './suites.ts';
import type { Transcript } from './transcript.ts';
import type { VerifiedPeer } from './verify/peer-verifier.ts';

/** What a connection is once its handshake is complete. */
export interface Established {
  readonly suite: Suite;
  readonly peer: VerifiedPeer | undefined;
  readonly alpn: string | undefined;
  /** RFC 8446 7.5: exporter_master_secret. */
  readonly exporterSecret: Secret;
  readonly session: SessionUse;
}

/** How the two sides knew each other. */
export interface SessionUse {
  /** full: by certificates now; resumed: by those of an earlier handshake; external: by a key from outside. */
  readonly kind: 'full' | 'resumed' | 'external';
  /** When the peer last proved itself with its certificate, milliseconds since the Unix epoch; resumed only. */
  readonly authenticatedAt: number | undefined;
  readonly earlyData: 'none' | 'accepted' | 'rejected';
}

/** Key material that outlives the function which derived it. */
export interface Wipeable {
  wipe(): void;
}

/** What states may do to the connection they are part of. */
export interface Port {
  readonly crypto: CryptoProvider;
  readonly transcript: Transcript;
  /** A server's early data. */
  readonly earlyInput: EarlyInput;
  /** What may be sent before `establish`. */
  readonly earlyOutput: EarlyOutput;
  /** Queues a handshake message and adds it to the transcript; returns nothing to wait for. */
  send(name: MessageName, body: Uint8Array): void;
  /** Like `send`, but leaves the transcript alone (KeyUpdate, after the handshake). */
  sendAfterHandshake(name: MessageName, body: Uint8Array): void;
  /** RFC 8446 D.4; at most once a connection. */
  sendChangeCipherSpec(): void;
  /** From now on no record of ours has more content than this, and none of the peer's more than `received`. */
  limitRecords(sent: number, received: number | undefined): void;
  requireAligned(): HandshakeAligned;
  /** What is sent from now on is sealed under this secret. */
  changeWriteKeys(suite: Suite, secret: Secret): void;
  /** What is sent from now on is in the open again: after early data that a HelloRetryRequest refused. */
  stopWriteKeys(): void;
  /** What is received from now on is opened under this secret; needs evidence that nothing is left over. */
  changeReadKeys(suite: Suite, secret: Secret, aligned: HandshakeAligned): void;
  /** Wipes these when the connection ends, however far it came. For secrets of the handshake: they are few. */
  wipeAtEnd(...secrets: readonly Wipeable[]): void;
  emit(event: ConnectionEvent): void;
  /** Runs `work` between the two events of an operation. */
  measure<T>(operation: Operation, work: () => T): T;
  logSecret(label: KeyLogLabel, clientRandom: Uint8Array, secret: Secret): void;
  /** RFC 8446 7.5: the exporter of early data, wiped at the end. */
  keepEarlyExporter(suite: Suite, secret: Secret): void;
  establish(established: Established): void;
}
