import { LEGACY_ROWS } from './legacy/reasons.ts';
import { type ReasonRow, reasonTable, TlsError } from './reason.ts';

/** A peer that breaks the RFC in a way that only a bug or an attacker explains. */
const PEER_BUG = 'Look at the other side: its TLS library or something between the two changes messages.';
/** A public key that no honest library makes. */
const SUSPECT = 'Treat it as an attack unless the peer runs an untested TLS library.';
const COMPARE = 'Compare what both sides are configured to offer.';

/** Why a connection of this engine ends other than by close_notify. The order is that of a handshake. */
export const REASONS = reasonTable({
  // The record layer
  'not-tls': {
    alert: 'unexpected_message',
    blame: 'peer',
    rfc: '8446#5.1',
    say: 'The peer sent bytes that are not TLS.',
    next: 'Something speaks plaintext to this port, or the port belongs to another service.',
  },
  'record-overflow': {
    alert: 'record_overflow',
    blame: 'peer',
    rfc: '8446#5.2',
    say: 'A record is longer than TLS allows.',
    next: PEER_BUG,
  },
  'bad-record-mac': {
    alert: 'bad_record_mac',
    blame: 'network',
    rfc: '8446#5.2',
    say: 'A record did not decrypt: it was changed on the way, or sealed under other keys.',
    next: 'Look for a device that rewrites traffic between the two; if there is none, treat it as an attack.',
  },
  'unexpected-record': {
    alert: 'unexpected_message',
    blame: 'peer',
    rfc: '8446#5',
    say: 'A record came whose type is not allowed at this point.',
    next: PEER_BUG,
  },
  'too-many-empty-records': {
    alert: 'unexpected_message',
    blame: 'peer',
    rfc: '8446#5.1',
    say: 'The peer sent too many records in a row that carry nothing.',
    next: 'Treat it as an attempt to keep this side busy.',
  },
  'input-overflow': {
    alert: 'internal_error',
    blame: 'local',
    rfc: '8446#5',
    say: 'More bytes were given to a paused connection than it may keep.',
    next: 'The code that drives the engine must stop reading while `pending` is set.',
  },
  // Handshake messages
  'message-too-large': {
    alert: 'illegal_parameter',
    blame: 'peer',
    rfc: '8446#4',
    say: 'A handshake message is larger than this side accepts.',
    next: 'A very long certificate chain is the usual cause; shorten it.',
  },
  'malformed-message': {
    alert: 'decode_error',
    blame: 'peer',
    rfc: '8446#6.2',
    say: 'A message could not be parsed.',
    next: PEER_BUG,
  },
  'unexpected-message': {
    alert: 'unexpected_message',
    blame: 'peer',
    rfc: '8446#4',
    say: 'A handshake message came that is not allowed in this state.',
    next: PEER_BUG,
  },
  'unaligned-key-change': {
    alert: 'unexpected_message',
    blame: 'peer',
    rfc: '8446#5.1',
    say: 'Handshake bytes were left over where the keys change.',
    next: PEER_BUG,
  },
  'illegal-parameter': {
    alert: 'illegal_parameter',
    blame: 'peer',
    rfc: '8446#6.2',
    say: 'A field of a message has a value that the protocol forbids.',
    next: PEER_BUG,
  },
  'duplicate-extension': {
    alert: 'decode_error',
    blame: 'peer',
    rfc: '8446#4.2',
    say: 'An extension stands twice in one message.',
    next: PEER_BUG,
  },
  'misplaced-extension': {
    alert: 'illegal_parameter',
    blame: 'peer',
    rfc: '8446#4.2',
    say: 'An extension stands in a message where it is not allowed.',
    next: PEER_BUG,
  },
  'unsolicited-extension': {
    alert: 'unsupported_extension',
    blame: 'peer',
    rfc: '8446#4.2',
    say: 'The peer answered an extension that was not offered.',
    next: PEER_BUG,
  },
  'missing-extension': {
    alert: 'missing_extension',
    blame: 'peer',
    rfc: '8446#9.2',
    say: 'An extension that TLS 1.3 demands is missing.',
    next: PEER_BUG,
  },
  // Negotiation
  'no-common-version': {
    alert: 'protocol_version',
    blame: 'peer',
    rfc: '8446#4.2.1',
    say: 'The peer does not speak TLS 1.3.',
    next: 'Let the peer use TLS 1.3; older versions are not accepted here.',
  },
  'inappropriate-fallback': {
    alert: 'inappropriate_fallback',
    blame: 'network',
    rfc: '7507#3',
    say: 'The client retried with an older version than both sides speak.',
    next: 'Something between the two broke its first attempt: treat it as an attack.',
  },
  'no-common-suite': {
    alert: 'handshake_failure',
    blame: 'operator',
    rfc: '8446#4.1.1',
    say: 'The two sides have no cipher suite in common.',
    next: COMPARE,
  },
  'no-common-group': {
    alert: 'handshake_failure',
    blame: 'operator',
    rfc: '8446#4.1.1',
    say: 'The two sides have no key exchange group in common.',
    next: COMPARE,
  },
  'no-common-scheme': {
    alert: 'handshake_failure',
    blame: 'operator',
    rfc: '8446#4.4.2.2',
    say: 'The peer accepts no signature scheme that this certificate can use.',
    next: 'Issue a certificate with a key type that the peer accepts, or let it accept this one.',
  },
  'no-matching-issuer': {
    alert: 'handshake_failure',
    blame: 'operator',
    rfc: '8446#4.2.4',
    say: 'The peer accepts none of the authorities that issued our certificates.',
    next: 'Compare the trust bundle of the peer with the issuers of this certificate.',
  },
  'no-common-alpn': {
    alert: 'no_application_protocol',
    blame: 'operator',
    rfc: '7301#3.2',
    say: 'The two sides have no application protocol in common.',
    next: 'In the mesh both sides must speak sallyport/1: the other side may not be a sidecar, or an older one.',
  },
  'server-name-mismatch': {
    alert: 'unrecognized_name',
    blame: 'peer',
    rfc: '6066#3',
    say: 'The client asked for another server name than the one served here.',
    next: 'The client was led to the wrong port, or its route is out of date.',
  },
  'unoffered-choice': {
    alert: 'illegal_parameter',
    blame: 'peer',
    rfc: '8446#4.1.3',
    say: 'The server chose something that was not offered.',
    next: PEER_BUG,
  },
  'illegal-hello-retry': {
    alert: 'illegal_parameter',
    blame: 'peer',
    rfc: '8446#4.1.4',
    say: 'The retry of the first flight does not follow the rules.',
    next: PEER_BUG,
  },
  'invalid-key-share': {
    alert: 'illegal_parameter',
    blame: 'peer',
    rfc: '8446#4.2.8.2',
    say: "The peer's key share is not a valid point of its curve.",
    next: SUSPECT,
  },
  'key-share-length': {
    alert: 'illegal_parameter',
    blame: 'peer',
    rfc: '8446#4.2.8.2',
    say: "The peer's key share does not have the length that its group demands.",
    next: SUSPECT,
  },
  'all-zero-shared-secret': {
    alert: 'illegal_parameter',
    blame: 'peer',
    rfc: '8446#7.4.2',
    say: "The peer's key share leads to a secret of zeros, which anybody knows.",
    next: SUSPECT,
  },
  'invalid-encapsulation-key': {
    alert: 'illegal_parameter',
    blame: 'peer',
    rfc: 'FIPS-203#7.2',
    say: "The ML-KEM part of the peer's key share is not a valid encapsulation key.",
    next: SUSPECT,
  },
  // What TLS 1.3 left behind
  ...LEGACY_ROWS,
  // Authentication
  'certificate-required': {
    alert: 'certificate_required',
    blame: 'peer',
    rfc: '8446#4.4.2.4',
    say: 'The client showed no certificate.',
    next: 'The client has no identity: is it outside the mesh, or is its certificate not issued yet?',
  },
  'server-certificate-missing': {
    alert: 'decode_error',
    blame: 'peer',
    rfc: '8446#4.4.2.4',
    say: 'The server sent an empty certificate list.',
    next: PEER_BUG,
  },
  'verifier-failed': {
    alert: 'internal_error',
    blame: 'local',
    rfc: '8446#4.4.2.4',
    say: 'The certificate check itself broke, so the peer is not believed.',
    next: 'Report it with the log line of the same trace id; the detail has the error.',
  },
  'unoffered-scheme': {
    alert: 'illegal_parameter',
    blame: 'peer',
    rfc: '8446#4.4.3',
    say: 'The peer signed with a scheme that was not offered.',
    next: PEER_BUG,
  },
  'certificate-only-scheme': {
    alert: 'illegal_parameter',
    blame: 'peer',
    rfc: '8446#4.2.3',
    say: 'The peer signed the handshake with RSA PKCS #1, which TLS 1.3 has for certificates only.',
    next: PEER_BUG,
  },
  'scheme-key-mismatch': {
    alert: 'illegal_parameter',
    blame: 'peer',
    rfc: '8446#4.2.3',
    say: "The signature scheme does not fit the key in the peer's certificate.",
    next: PEER_BUG,
  },
  'incorrect-signature': {
    alert: 'decrypt_error',
    blame: 'peer',
    rfc: '8446#4.4.3',
    say: 'The peer could not prove that it holds the key of its certificate.',
    next: 'The peer has a certificate without its key, or somebody uses a stolen certificate: treat it as an attack.',
  },
  'incorrect-finished': {
    alert: 'decrypt_error',
    blame: 'network',
    rfc: '8446#4.4.4',
    say: 'The two sides did not see the same handshake.',
    next: 'Something between the two changed the handshake: treat it as an attack.',
  },
  'incorrect-binder': {
    alert: 'decrypt_error',
    blame: 'network',
    rfc: '8446#4.2.11',
    say: 'The client named a session or key without proving that it knows its secret.',
    next: 'Something between the two changed the first message, or somebody uses a stolen ticket: treat it as an attack.',
  },
  'unknown-psk-identity': {
    alert: 'unknown_psk_identity',
    blame: 'operator',
    rfc: '8446#6.2',
    say: 'The client offers no key that this server knows, and the server has no certificate to show instead.',
    next: 'Compare identity, context and hash of the keys that both sides are configured with.',
  },
  'signing-failed': {
    alert: 'internal_error',
    blame: 'local',
    rfc: '8446#4.4.3',
    say: 'Our own private key could not sign.',
    next: 'Look at the key service or key file of this workload; the detail has the error.',
  },
  'too-much-early-data': {
    alert: 'unexpected_message',
    blame: 'peer',
    rfc: '8446#4.2.10',
    say: 'The client sent more early data than the ticket allows, or than is skipped when it is refused.',
    next: PEER_BUG,
  },
  // After the handshake
  'too-many-key-updates': {
    alert: 'unexpected_message',
    blame: 'peer',
    rfc: '8446#4.6.3',
    say: 'The peer changes its keys again and again without sending data.',
    next: 'Treat it as an attempt to keep this side busy.',
  },
  'too-many-tickets': {
    alert: 'unexpected_message',
    blame: 'peer',
    rfc: '8446#4.6.1',
    say: 'The server sends session tickets without end.',
    next: PEER_BUG,
  },
  'post-handshake-authentication': {
    alert: 'unexpected_message',
    blame: 'peer',
    rfc: '8446#4.6.2',
    say: 'The server asked for a certificate after the handshake, which was not offered.',
    next: 'Ask for the certificate during the handshake.',
  },
  // Endings
  'warning-alert': {
    alert: 'decode_error',
    blame: 'peer',
    rfc: '8446#6',
    say: 'The peer sent an error as a mere warning, which TLS 1.3 does not have.',
    next: 'The detail names the error: treat it as the reason of the peer.',
  },
  'alert-received': {
    alert: undefined,
    blame: 'peer',
    rfc: '8446#6.2',
    say: 'The peer refused and ended the connection.',
    next: "Look up the same trace id on the peer's side: its record has the exact reason.",
  },
  truncated: {
    alert: undefined,
    blame: 'network',
    rfc: '8446#6.1',
    say: 'The connection ended without close_notify, so data may be missing.',
    next: 'The peer died, was killed, or something cut the connection.',
  },
  'closed-in-handshake': {
    alert: undefined,
    blame: 'peer',
    rfc: '8446#6.1',
    say: 'The peer went away before the handshake was complete.',
    next: 'Look at the peer: it crashed, timed out, or does not speak TLS.',
  },
  'transport-failed': {
    alert: undefined,
    blame: 'network',
    rfc: '8446#6.1',
    say: 'The connection below TLS failed.',
    next: 'Look at the detail: reset, unreachable and timed out have different causes.',
  },
  'handshake-timeout': {
    alert: 'user_canceled',
    blame: 'peer',
    rfc: '8446#6.1',
    say: 'The handshake was not complete in time.',
    next: 'The peer stalled: look at its load, or for packets dropped by a firewall.',
  },
  'destroyed-locally': {
    alert: undefined,
    blame: 'local',
    rfc: '8446#6.1',
    say: 'This side gave the connection up.',
    next: 'Nothing is wrong with the peer.',
  },
  'internal-error': {
    alert: 'internal_error',
    blame: 'local',
    rfc: '8446#6.2',
    say: 'This side has a bug.',
    next: 'Report it with the detail.',
  },
} satisfies Record<string, ReasonRow>);

export type ReasonCode = keyof typeof REASONS;

/** Ends the connection for a reason of this table. Caught once, in connection.ts. */
export function fail(code: ReasonCode, detail = ''): never {
  throw new TlsError(REASONS[code], detail);
}
