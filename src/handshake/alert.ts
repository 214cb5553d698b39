/**
 * RFC 8446 6 and B.2: AlertDescription. Those that end in _RESERVED belong to older versions: they have names because a
 * peer's log is read by them, and are never sent.
 */
export const ALERTS = {
  close_notify: 0,
  unexpected_message: 10,
  bad_record_mac: 20,
  decryption_failed_RESERVED: 21,
  record_overflow: 22,
  decompression_failure_RESERVED: 30,
  handshake_failure: 40,
  no_certificate_RESERVED: 41,
  bad_certificate: 42,
  unsupported_certificate: 43,
  certificate_revoked: 44,
  certificate_expired: 45,
  certificate_unknown: 46,
  illegal_parameter: 47,
  unknown_ca: 48,
  access_denied: 49,
  decode_error: 50,
  decrypt_error: 51,
  export_restriction_RESERVED: 60,
  protocol_version: 70,
  insufficient_security: 71,
  internal_error: 80,
  inappropriate_fallback: 86,
  user_canceled: 90,
  no_renegotiation_RESERVED: 100,
  missing_extension: 109,
  unsupported_extension: 110,
  certificate_unobtainable_RESERVED: 111,
  unrecognized_name: 112,
  bad_certificate_status_response: 113,
  bad_certificate_hash_value_RESERVED: 114,
  unknown_psk_identity: 115,
  certificate_required: 116,
  no_application_protocol: 120,
} as const;

export type AlertName = keyof typeof ALERTS;

const NAMES = new Map<number, AlertName>(
  (Object.entries(ALERTS) as [AlertName, number][]).map(([name, code]) => [code, name]),
);

/** The alert's RFC name, or undefined for a number that no RFC known here assigns. */
export function alertName(description: number): AlertName | undefined {
  return NAMES.get(description);
}

/** RFC 8446 6: AlertLevel. */
export const WARNING = 1;
export const FATAL = 2;

/** RFC 8446 6: "Alert messages convey a description of the alert and a legacy field". Two bytes. */
export function encodeAlert(name: AlertName): Uint8Array {
  // RFC 8446 6: level "can safely be ignored"; peers still expect warning for the two closure alerts.
  const level = name === 'close_notify' || name === 'user_canceled' ? WARNING : FATAL;
  return Uint8Array.of(level, ALERTS[name]);
}
