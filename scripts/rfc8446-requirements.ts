/**
 * What RFC 8446 demands of an endpoint of ours, in short, joined to the code that does it and the test that shows it.
 * docs/reference/conformance.md is written from this, and scripts/reference.ts fails where a file or a test is gone.
 */
export interface Requirement {
  readonly section: string;
  readonly demand: string;
  /** Below src/handshake. */
  readonly code: string;
  /** A test file below src/handshake, and words of its titles. `open`: nothing shows it yet, and why. */
  readonly test: readonly [file: string, title: string] | { readonly open: string };
}

const CH = 'client-hello-refusals.test.ts';
const SH = 'server-hello-refusals.test.ts';
const HRR = 'hello-retry-refusals.test.ts';
const AUTH = 'authentication-refusals.test.ts';
const TRAFFIC = 'traffic.test.ts';
const PROTECTED = 'protected-records.test.ts';
const PLAIN = 'plain-records.test.ts';

const CHOOSE = 'tls13/server/choose.ts';
const CLIENT_HELLO = 'messages/client-hello.ts';
const SERVER_HELLO = 'tls13/client/expect-server-hello.ts';
const EXTENSIONS = 'extensions/extensions.ts';
const VERIFY = 'tls13/certificate-verify.ts';
const INPUT = 'record/input.ts';
const CIPHER = 'record/cipher-state.ts';

export const REQUIREMENTS: readonly Requirement[] = [
  row(
    '4.1.1',
    'no common suite or group ends with an alert',
    CHOOSE,
    CH,
    'offers no suite of TLS 1.3 (4.1.1)',
  ),
  row('4.1.2', 'compression beside TLS 1.3 is refused', CHOOSE, CH, 'offers compression (4.1.2)'),
  row(
    '4.1.2',
    'a ClientHello after the handshake is unexpected',
    'base-connection.ts',
    TRAFFIC,
    'renegotiation included (4.1.2, 4.6)',
  ),
  row(
    '4.1.2',
    'a second ClientHello is the first but for what may change',
    CHOOSE,
    HRR,
    'with padding that the first did not have (RFC 8446 4.1.2)',
  ),
  row(
    '4.1.3',
    'legacy_version of a ServerHello is 0x0303',
    SERVER_HELLO,
    SH,
    'has a legacy_version of TLS 1.1 (4.1.3)',
  ),
  row('4.1.3', 'the session ID is echoed as sent', SERVER_HELLO, SH, 'echoes half of the session ID (4.1.3)'),
  row(
    '4.1.3',
    'a mark of a downgrade ends with illegal_parameter',
    SERVER_HELLO,
    SH,
    'the mark of a downgrade (4.1.3)',
  ),
  row(
    '4.1.4',
    'a HelloRetryRequest that changes nothing is refused',
    SERVER_HELLO,
    HRR,
    'changes nothing (4.1.4)',
  ),
  row(
    '4.1.4',
    'a second HelloRetryRequest is unexpected',
    SERVER_HELLO,
    HRR,
    'is a second HelloRetryRequest (4.1.4)',
  ),
  row('4.1.4', 'the suite stays after a retry', SERVER_HELLO, HRR, 'has another suite (4.1.4)'),
  row('4.2', 'an extension stands once in a message', EXTENSIONS, CH, 'has an extension twice (4.2)'),
  row(
    '4.2',
    'an extension in the wrong message is illegal_parameter',
    EXTENSIONS,
    CH,
    'has an extension of CertificateRequest (4.2)',
  ),
  row(
    '4.2',
    'an answer to nothing is unsupported_extension',
    EXTENSIONS,
    SH,
    'has an unknown extension (4.2)',
  ),
  row(
    '4.2.1',
    'supported_versions decides, not legacy_version',
    CHOOSE,
    CH,
    'says TLS 1.3 in legacy_version alone (4.2.1)',
  ),
  row(
    '4.2.1',
    'a selected version that was not offered is refused',
    SERVER_HELLO,
    SH,
    'selects TLS 1.2 by the extension (4.2.1)',
  ),
  row('4.2.2', 'a cookie is sent back as it came', 'extensions/cookie.ts', HRR, 'sends it back as it came'),
  row('4.2.3', 'PKCS#1 signs no handshake', VERIFY, AUTH, 'of RSA with PKCS#1 padding (4.2.3)'),
  row(
    '4.2.3',
    'the salt of PSS is as long as the digest',
    'crypto/node/signatures.ts',
    AUTH,
    'with a salt of another length (4.2.3)',
  ),
  row(
    '4.2.8',
    'one share for a group',
    'extensions/key-share.ts',
    CH,
    'has two shares for one group (4.2.8)',
  ),
  row(
    '4.2.8',
    'shares only for groups that were offered',
    CHOOSE,
    CH,
    'has a share for a group that it does not support (4.2.8)',
  ),
  row(
    '4.2.8',
    "the server's share is of the group that was agreed",
    'tls13/client/server-hello.ts',
    SH,
    'has a share of another group (4.2.8)',
  ),
  row(
    '4.2.9',
    'a PSK comes with its modes',
    CHOOSE,
    CH,
    'has pre_shared_key without psk_key_exchange_modes (4.2.9)',
  ),
  row(
    '4.2.10',
    'early data that was not sent cannot be accepted',
    'tls13/client/expect-encrypted-extensions.ts',
    SH,
    'accept early data that was not sent (4.2.10)',
  ),
  row(
    '4.2.11',
    'pre_shared_key is the last extension',
    CLIENT_HELLO,
    CH,
    'has pre_shared_key before another (4.2.11)',
  ),
  row(
    '4.4.2',
    'extensions of a Certificate answer those that asked',
    'messages/certificate.ts',
    AUTH,
    'an OCSP response that was not asked for (4.4.2)',
  ),
  row(
    '4.4.2.2',
    'a certificate signs with a scheme that the peer accepts',
    'credentials/select.ts',
    'credentials/select.test.ts',
    'with what the client accepts (4.4.2.2)',
  ),
  row(
    '4.4.2.4',
    'a server without a certificate is decode_error',
    'tls13/client/expect-certificate.ts',
    AUTH,
    'refuses a server without a certificate (4.4.2.4)',
  ),
  row(
    '4.4.3',
    'a scheme that was not offered is illegal_parameter',
    VERIFY,
    AUTH,
    'which is not for TLS 1.3 or unknown (4.2.3, CVE-2022-25638)',
  ),
  row(
    '4.4.3',
    'who shows a certificate proves its key',
    'tls13/server/expect-certificate.ts',
    AUTH,
    'leaves out its CertificateVerify',
  ),
  row(
    '4.6.1',
    'tickets are bounded in lifetime',
    'messages/new-session-ticket.ts',
    TRAFFIC,
    'refuses a ticket %s (4.6.1)',
  ),
  row(
    '4.6.2',
    'authentication after the handshake is refused',
    'tls13/client/traffic.ts',
    TRAFFIC,
    'refuses authentication after the handshake (4.6.2)',
  ),
  row(
    '4.6.3',
    'request_update has two values',
    'messages/key-update.ts',
    TRAFFIC,
    'another request_update (4.6.3)',
  ),
  row(
    '4.6.3',
    'a request is answered before the next data',
    'tls13/key-update.ts',
    TRAFFIC,
    'before its next data (4.6.3)',
  ),
  row(
    '5.1',
    'handshake messages are not interleaved',
    INPUT,
    TRAFFIC,
    'data or an alert inside a message (5.1)',
  ),
  row(
    '5.1',
    'messages do not span key changes',
    'record/joiner.ts',
    TRAFFIC,
    'handshake bytes behind a KeyUpdate in its record (5.1)',
  ),
  row(
    '5.1',
    'no empty fragments of handshake or alert',
    INPUT,
    PROTECTED,
    'refuses a record that holds %s (RFC 8446 5.1, 5.4)',
  ),
  row(
    '5.2',
    'records are not longer than allowed',
    CIPHER,
    PROTECTED,
    'refuses a record with too much %s (RFC 8446 5.2, 5.4)',
  ),
  row(
    '5.2',
    'a record that does not decrypt is bad_record_mac',
    CIPHER,
    PROTECTED,
    'refuses a record that was %s on the way',
  ),
  row(
    '5.4',
    'padding is taken off, and never goes beyond a record',
    'record/fragmenter.ts',
    'record-size.test.ts',
    'never goes beyond a record',
  ),
  row(
    '5.5',
    'keys are changed before they have sealed too much',
    'base-connection.ts',
    'records-per-key.test.ts',
    'is no more than RFC 8446 5.5 allows',
  ),
  row(
    '6',
    'an error alert ends the connection whatever its level',
    INPUT,
    PLAIN,
    'to go on after the alert %s (6)',
  ),
  row(
    '6.1',
    'the end without close_notify is a truncation',
    'base-connection.ts',
    TRAFFIC,
    'the end of input without close_notify (6.1)',
  ),
  row(
    '6.1',
    'what follows close_notify is ignored',
    'base-connection.ts',
    TRAFFIC,
    'ignores everything after close_notify (6.1)',
  ),
  row(
    '7.5',
    'exporters are the same on both sides',
    'tls13/exporter.ts',
    'exporter.test.ts',
    'is the same on both sides',
  ),
  row(
    '9.2',
    'the extensions that TLS 1.3 needs must be there',
    CHOOSE,
    CH,
    'has no signature_algorithms (9.2)',
  ),
  row('9.3', 'unknown values are passed over', CLIENT_HELLO, CH, 'has unknown values everywhere (9.3)'),
  row(
    'D.4',
    'change_cipher_spec only for clients that sent a session ID',
    'tls13/server/server-flight.ts',
    CH,
    'then sends no change_cipher_spec (D.4)',
  ),
  row('D.5', 'SSL 2.0 is refused', 'record/deframer.ts', PLAIN, 'a ClientHello of SSL 2.0 (D.5)'),
  {
    section: '5.3',
    demand: 'sequence numbers do not wrap',
    code: CIPHER,
    test: { open: 'no test goes beyond 2^32 yet; a key is changed at 2^24 records' },
  },
];

function row(section: string, demand: string, code: string, file: string, title: string): Requirement {
  return { section, demand, code, test: [file, title] };
}
