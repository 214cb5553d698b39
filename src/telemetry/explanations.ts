import { type AlertName, reasonTable } from '#handshake';
import type { AlertSeen, HandshakeSubject } from './handshake-record.ts';

/** Reasons that only an observer has. */
export const TELEMETRY_REASONS = reasonTable({
  'handshake-abandoned': {
    alert: undefined,
    blame: 'local',
    rfc: 'none',
    say: 'The connection was ended on this side before the handshake was decided.',
    next: "Look at this sidecar's log around that time: it was stopping, or the application gave up.",
  },
});

export interface Explanation {
  readonly say: string;
  readonly next: string;
}

/** What a peer told us with its alert, in words. An alert is all the peer sends: its own record has the exact reason. */
export function explainAlert(alert: AlertSeen, role: HandshakeSubject['role']): Explanation {
  const peer = role === 'client' ? 'server' : 'client';
  const meaning = Object.hasOwn(MEANINGS, alert.name) ? MEANINGS[alert.name as AlertName] : undefined;
  return {
    say: `The ${peer} ended the connection with alert ${alert.name} (${alert.description}): ${meaning ?? 'no RFC known here assigns this number'}.`,
    next: `Read the ${peer}'s record in the same trace: it has the exact reason. Its log line carries the same trace id.`,
  };
}

/** RFC 8446 6.1, 6.2, from the receiver's side: "it" is the peer that sent the alert, "our" is ours. */
const MEANINGS = {
  close_notify: 'it will send nothing more',
  unexpected_message: 'one of our messages came where it expected another',
  bad_record_mac: 'it could not decrypt or authenticate one of our records',
  record_overflow: 'one of our records was too long for it',
  handshake_failure: 'it found no parameters (suite, group, signature scheme) acceptable to both sides',
  bad_certificate: 'our certificate was malformed, or names what it does not accept',
  unsupported_certificate:
    'our certificate is of a kind that it does not support, for instance its key usage',
  certificate_revoked: 'our certificate is revoked',
  certificate_expired: 'our certificate has expired or is not valid yet, by its clock',
  certificate_unknown: 'it does not accept our certificate, for a reason that no other alert names',
  illegal_parameter: 'a value in one of our messages was out of range or contradicted another',
  unknown_ca: 'our certificate leads to no root that it trusts',
  access_denied: 'our certificate is valid, but its policy does not let us in',
  decode_error: 'it could not parse one of our messages',
  decrypt_error: 'a signature or Finished of ours did not verify',
  protocol_version: 'it does not speak the TLS version that we offered',
  insufficient_security: 'it demands stronger parameters than we offered',
  internal_error: 'it failed for a reason of its own',
  inappropriate_fallback: 'it refused a retry with a lower TLS version',
  user_canceled: 'it gave the handshake up',
  missing_extension: 'one of our messages lacked an extension that it needs',
  unsupported_extension: 'one of our messages carried an extension that it did not expect',
  unrecognized_name: 'it serves no such server name',
  bad_certificate_status_response: 'our OCSP response was not valid',
  unknown_psk_identity: 'it knows none of the pre-shared keys that we offered',
  certificate_required: 'it demands a client certificate and we sent none',
  no_application_protocol: 'it speaks none of the ALPN protocols that we offered',
  // Of older versions; a peer that sends one is out of date or wrong.
  decryption_failed_RESERVED: 'it could not decrypt one of our records',
  decompression_failure_RESERVED: 'it could not decompress one of our records',
  no_certificate_RESERVED: 'it has no certificate to show',
  export_restriction_RESERVED: 'it may use weakened keys only',
  no_renegotiation_RESERVED: 'it does not renegotiate',
  certificate_unobtainable_RESERVED: 'it could not fetch a certificate that we named',
  bad_certificate_hash_value_RESERVED: 'a certificate that we named has another hash',
} as const satisfies Record<AlertName, string>;
