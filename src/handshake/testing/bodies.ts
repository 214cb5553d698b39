import { concat, EMPTY, fromAscii } from '#runtime';
import { encodeCertificate } from '../messages/certificate.ts';
import { encodeCertificateRequest } from '../messages/certificate-request.ts';
import { encodeCertificateVerify } from '../messages/certificate-verify.ts';
import { encodeClientHello } from '../messages/client-hello.ts';
import { encodeEncryptedExtensions } from '../messages/encrypted-extensions.ts';
import { encodeKeyUpdate } from '../messages/key-update.ts';
import type { MessageName } from '../messages/names.ts';
import { encodeServerHello } from '../messages/server-hello.ts';
import { SCHEMES } from '../schemes.ts';
import { SUITES } from '../suites.ts';
import { u8, u16, u32, vector8, vector16 } from '../wire/writer.ts';

const noExtensions = u16(0);

/** RFC 8446 4.6.1. */
export function ticketBody(lifetimeSeconds = 7200): Uint8Array {
  const nonce = vector8(u8(0));
  return concat(u32(lifetimeSeconds), u32(1), nonce, vector16(fromAscii('ticket')), noExtensions);
}

/** A well-formed body of every handshake message: what makes it wrong is where it stands. */
export const WELL_FORMED: Readonly<Record<MessageName, Uint8Array>> = {
  client_hello: encodeClientHello({
    random: new Uint8Array(32).fill(1),
    sessionId: EMPTY,
    suites: [SUITES.TLS_AES_128_GCM_SHA256.id],
    extensions: noExtensions,
  }),
  server_hello: encodeServerHello({
    random: new Uint8Array(32).fill(2),
    sessionId: EMPTY,
    suite: SUITES.TLS_AES_128_GCM_SHA256.id,
    extensions: noExtensions,
  }),
  new_session_ticket: ticketBody(),
  end_of_early_data: EMPTY,
  encrypted_extensions: encodeEncryptedExtensions({
    alpn: undefined,
    acknowledgesServerName: false,
    acceptsEarlyData: false,
  }),
  certificate: encodeCertificate(EMPTY, [fromAscii('certificate')]),
  certificate_request: encodeCertificateRequest({
    schemes: [SCHEMES.ed25519.id],
    certificateSchemes: [SCHEMES.ed25519.id],
    wantsStatus: false,
  }),
  certificate_verify: encodeCertificateVerify({ scheme: SCHEMES.ed25519.id, signature: new Uint8Array(64) }),
  finished: new Uint8Array(32),
  key_update: encodeKeyUpdate({ updateRequested: false }),
};
