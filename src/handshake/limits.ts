import type { MessageName } from './messages/names.ts';

/** RFC 8446 5.1: "The length MUST NOT exceed 2^14 bytes." */
export const MAX_PLAINTEXT = 2 ** 14;
/** RFC 8446 5.2: "The length MUST NOT exceed 2^14 + 256 bytes." */
export const MAX_CIPHERTEXT = MAX_PLAINTEXT + 256;
/** Most bytes of input a connection keeps while it waits for a signature or a verdict. */
export const MAX_PENDING_INPUT = 256 * 1024;
/**
 * Largest body of each handshake message, bytes. Ours are far smaller; peers' chains may be long, and where the length is
 * fixed there is room for the decoder to say what is wrong.
 */
export const MAX_MESSAGE: Readonly<Record<MessageName, number>> = {
  client_hello: 32 * 1024,
  server_hello: 16 * 1024,
  new_session_ticket: 8 * 1024,
  end_of_early_data: 16,
  encrypted_extensions: 16 * 1024,
  certificate: 64 * 1024,
  certificate_request: 16 * 1024,
  certificate_verify: 8 * 1024,
  finished: 64,
  key_update: 16,
};
/** Most certificates in a peer's chain. */
export const MAX_CERTIFICATES = 10;
/** Most names in certificate_authorities. */
export const MAX_AUTHORITIES = 1024;
/** Most extensions in one message: more than IANA's registry has is nobody's honest need. */
export const MAX_EXTENSIONS = 128;
/** Most records in a row that carry no content. */
export const MAX_EMPTY_RECORDS = 32;
/** Most change_cipher_spec records in a handshake: one of each flight is honest. */
export const MAX_CHANGE_CIPHER_SPECS = 4;
/** Most warning alerts (user_canceled) before close_notify. */
export const MAX_WARNINGS = 4;
/** Most KeyUpdate messages in a row without application data between them. */
export const MAX_KEY_UPDATES = 32;
/** Most NewSessionTicket messages on a connection. */
export const MAX_TICKETS = 64;
/** RFC 8446 4.6.1: a ticket may live for seven days at most. */
export const LONGEST_TICKET_LIFETIME_SECONDS = 7 * 24 * 3600;
/** Largest ticket that is issued, bytes: with a client chain too long for it there is none. */
export const MAX_TICKET = 6 * 1024;
/** Most pre-shared keys of a ClientHello that are looked at: each costs an attempt to open a ticket. */
export const MAX_OFFERED_PSKS = 4;
/** Most bytes of refused early data that are skipped, beyond what the server itself would have taken. */
export const MAX_SKIPPED_EARLY_DATA = 2 ** 14;
/** Records under one key before it is updated: RFC 8446 5.5 allows about 2^24.5 full-size records for AES-GCM. */
export const RECORDS_PER_KEY = 2 ** 24;
