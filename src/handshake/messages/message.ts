import { concat } from '#runtime';
import { u8, vector24 } from '../wire/writer.ts';
import { type Certificate, decodeCertificate } from './certificate.ts';
import { type CertificateRequest, decodeCertificateRequest } from './certificate-request.ts';
import { type CertificateVerify, decodeCertificateVerify } from './certificate-verify.ts';
import { type ClientHello, decodeClientHello } from './client-hello.ts';
import { decodeEncryptedExtensions, type EncryptedExtensions } from './encrypted-extensions.ts';
import { decodeEndOfEarlyData } from './end-of-early-data.ts';
import { decodeKeyUpdate, type KeyUpdate } from './key-update.ts';
import { HANDSHAKE_TYPES, type MessageName } from './names.ts';
import { decodeNewSessionTicket, type NewSessionTicket } from './new-session-ticket.ts';
import { decodeServerHello, type ServerHello } from './server-hello.ts';

/** What each handshake message is once decoded. */
export interface Decoded {
  client_hello: ClientHello;
  server_hello: ServerHello;
  new_session_ticket: NewSessionTicket;
  end_of_early_data: undefined;
  encrypted_extensions: EncryptedExtensions;
  certificate: Certificate;
  certificate_request: CertificateRequest;
  certificate_verify: CertificateVerify;
  /** verify_data. Its length depends on the suite; a wrong one fails the comparison. */
  finished: Uint8Array;
  key_update: KeyUpdate;
}

export type DecodableName = keyof Decoded;

/** A handshake message with the bytes that go into the transcript. */
export interface Received<Name extends DecodableName = DecodableName> {
  readonly name: Name;
  readonly body: Decoded[Name];
  /** The whole message, header included (RFC 8446 4.4.1). */
  readonly raw: Uint8Array;
}

const DECODERS: { readonly [Name in DecodableName]: (body: Uint8Array) => Decoded[Name] } = {
  client_hello: decodeClientHello,
  server_hello: decodeServerHello,
  new_session_ticket: decodeNewSessionTicket,
  end_of_early_data: decodeEndOfEarlyData,
  encrypted_extensions: decodeEncryptedExtensions,
  certificate: decodeCertificate,
  certificate_request: decodeCertificateRequest,
  certificate_verify: decodeCertificateVerify,
  finished: (body) => body.slice(),
  key_update: decodeKeyUpdate,
};

/** Length of a handshake message's type and length fields (RFC 8446 4). */
export const MESSAGE_HEADER_LENGTH = 4;

export function decodeMessage(name: MessageName, raw: Uint8Array): Received {
  return { name, body: DECODERS[name](raw.subarray(MESSAGE_HEADER_LENGTH)), raw };
}

/** The body with its type and length in front. */
export function encodeMessage(name: MessageName, body: Uint8Array): Uint8Array {
  return concat(u8(HANDSHAKE_TYPES[name]), vector24(body));
}
