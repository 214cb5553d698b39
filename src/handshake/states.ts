import type { Received } from './messages/message.ts';
import type { DecodableName } from './messages/message.ts';
import type { Port } from './port.ts';
import type { Pending } from './pending.ts';

interface Row {
  /** The handshake messages accepted; any other is `unexpected-message`. */
  readonly on: readonly DecodableName[];
  /** The states that may follow. */
  readonly next: readonly string[];
}

/** RFC 8446 appendix A.1, with names for what it calls WAIT_x, and the pauses for a verdict and a signature. */
export const CLIENT = {
  ValidatingSession: { on: [], next: ['ExpectServerHello'] },
  ExpectServerHello: { on: ['server_hello'], next: ['ExpectSecondServerHello', 'ExpectEncryptedExtensions'] },
  ExpectSecondServerHello: { on: ['server_hello'], next: ['ExpectEncryptedExtensions'] },
  ExpectEncryptedExtensions: {
    on: ['encrypted_extensions'],
    next: ['ExpectCertificateOrRequest', 'ExpectFinished'],
  },
  ExpectCertificateOrRequest: {
    on: ['certificate_request', 'certificate'],
    next: ['ExpectCertificate', 'ValidatingChain'],
  },
  ExpectCertificate: { on: ['certificate'], next: ['ValidatingChain'] },
  ValidatingChain: { on: [], next: ['ExpectCertificateVerify'] },
  ExpectCertificateVerify: { on: ['certificate_verify'], next: ['ExpectFinished'] },
  ExpectFinished: { on: ['finished'], next: ['Signing', 'Traffic'] },
  Signing: { on: [], next: ['Traffic'] },
  Traffic: { on: ['new_session_ticket', 'key_update', 'certificate_request'], next: ['Traffic'] },
} as const satisfies Record<string, Row>;

/** RFC 8446 appendix A.2, likewise. */
export const SERVER = {
  ExpectClientHello: {
    on: ['client_hello'],
    next: [
      'ExpectSecondClientHello',
      'ValidatingSession',
      'Signing',
      'ExpectEndOfEarlyData',
      'ExpectFinished',
    ],
  },
  ExpectSecondClientHello: { on: ['client_hello'], next: ['ValidatingSession', 'Signing', 'ExpectFinished'] },
  ValidatingSession: { on: [], next: ['Signing', 'ExpectEndOfEarlyData', 'ExpectFinished'] },
  Signing: { on: [], next: ['ExpectCertificate', 'ExpectFinished'] },
  ExpectCertificate: { on: ['certificate'], next: ['ValidatingChain', 'ExpectFinished'] },
  ValidatingChain: { on: [], next: ['ExpectCertificateVerify'] },
  ExpectCertificateVerify: { on: ['certificate_verify'], next: ['ExpectFinished'] },
  ExpectEndOfEarlyData: { on: ['end_of_early_data'], next: ['ExpectFinished'] },
  ExpectFinished: { on: ['finished'], next: ['Traffic'] },
  Traffic: { on: ['key_update'], next: ['Traffic'] },
} as const satisfies Record<string, Row>;

export const TRANSITIONS = { client: CLIENT, server: SERVER } as const;

export type ClientStateName = keyof typeof CLIENT;
export type ServerStateName = keyof typeof SERVER;

/**
 * A state of the client. Its name fixes the messages that `handle` gets and the states that it may return: the
 * compiler refuses another.
 */
export interface ClientState<Name extends ClientStateName = ClientStateName> {
  readonly name: Name;
  handle?(message: Received<(typeof CLIENT)[Name]['on'][number]>, port: Port): ClientNext<Name>;
  /** Set in a state that waits for something outside the engine; such a state has no `handle`. */
  readonly pending?: Pending<ClientNext<Name>>;
}

export type ClientNext<Name extends ClientStateName> = ClientState<(typeof CLIENT)[Name]['next'][number]>;

/** A state of the server, in the same way. */
export interface ServerState<Name extends ServerStateName = ServerStateName> {
  readonly name: Name;
  handle?(message: Received<(typeof SERVER)[Name]['on'][number]>, port: Port): ServerNext<Name>;
  readonly pending?: Pending<ServerNext<Name>>;
}

export type ServerNext<Name extends ServerStateName> = ServerState<(typeof SERVER)[Name]['next'][number]>;
