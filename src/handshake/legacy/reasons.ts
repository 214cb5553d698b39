import type { ReasonRow } from '../reason.ts';

const UPDATE = 'Update the peer, or change what its configuration allows.';
const DOWNGRADE = 'Treat it as an attack unless the peer runs an untested TLS library.';

/** Nothing better was offered. */
function offered(what: string, alert: ReasonRow['alert'], rfc: string): ReasonRow {
  return { alert, blame: 'peer', rfc, say: `The peer offers nothing better than ${what}.`, next: UPDATE };
}

/** The peer uses it, though we never offer it. */
function chosen(what: string, alert: ReasonRow['alert'], rfc: string): ReasonRow {
  return {
    alert,
    blame: 'peer',
    rfc,
    say: `The peer chose ${what}, which is never offered.`,
    next: DOWNGRADE,
  };
}

/** RFC 8446 6.2: insufficient_security tells "that the server requires parameters more secure". */
const WEAKER = 'insufficient_security';
const WRONG = 'illegal_parameter';
const OLD = 'protocol_version';

/** Refusals of what TLS 1.3 left behind: who offers nothing else, and who uses it. */
export const LEGACY_ROWS = {
  'ssl2-offered': offered('SSL 2.0', OLD, '6176#3'),
  'ssl3-offered': offered('SSL 3.0', OLD, '7568#3'),
  'tls10-offered': offered('TLS 1.0', OLD, '8996#4'),
  'tls11-offered': offered('TLS 1.1', OLD, '8996#5'),
  'ssl3-chosen': chosen('SSL 3.0', OLD, '7568#3'),
  'tls10-chosen': chosen('TLS 1.0', OLD, '8996#4'),
  'tls11-chosen': chosen('TLS 1.1', OLD, '8996#5'),
  'downgrade-detected': {
    alert: WRONG,
    blame: 'network',
    rfc: '8446#4.1.3',
    say: 'The server speaks TLS 1.3 but was made to answer with an older version.',
    next: 'Something between the two changed the offer: treat it as an attack.',
  },
  'null-cipher-offered': offered('suites without encryption', WEAKER, '9325#4.1'),
  'anonymous-key-exchange-offered': offered('key exchange without authentication', WEAKER, '9325#4.1'),
  'export-cipher-offered': offered('ciphers weakened for export', WEAKER, '9325#4.1'),
  'rc4-cipher-offered': offered('RC4', WEAKER, '7465#2'),
  'triple-des-cipher-offered': offered('DES or Triple DES', WEAKER, '9325#4.1'),
  'rsa-key-exchange-offered': offered('RSA key exchange, without forward secrecy', WEAKER, '9325#4.1'),
  'cbc-cipher-offered': offered('ciphers in CBC mode', WEAKER, '9325#4.2'),
  'dhe-key-exchange-offered': offered('Diffie-Hellman over finite fields', WEAKER, '9325#4.1'),
  'ccm8-cipher-offered': offered('AES-CCM with short tags', WEAKER, '9325#4.2'),
  'null-cipher-chosen': chosen('a suite without encryption', WRONG, '8446#4.1.3'),
  'anonymous-key-exchange-chosen': chosen('key exchange without authentication', WRONG, '8446#4.1.3'),
  'export-cipher-chosen': chosen('a cipher weakened for export', WRONG, '8446#4.1.3'),
  'rc4-cipher-chosen': chosen('RC4', WRONG, '8446#4.1.3'),
  'triple-des-cipher-chosen': chosen('DES or Triple DES', WRONG, '8446#4.1.3'),
  'rsa-key-exchange-chosen': chosen('RSA key exchange', WRONG, '8446#4.1.3'),
  'cbc-cipher-chosen': chosen('a cipher in CBC mode', WRONG, '8446#4.1.3'),
  'dhe-key-exchange-chosen': chosen('Diffie-Hellman over finite fields', WRONG, '8446#4.1.3'),
  'ccm8-cipher-chosen': chosen('AES-CCM with short tags', WRONG, '8446#4.1.3'),
  'md5-signature-offered': offered('signatures with MD5', 'handshake_failure', '9155#2'),
  'dsa-signature-offered': offered('signatures by DSA', 'handshake_failure', '8446#4.2.3'),
  'sha1-signature-offered': offered('signatures with SHA-1', 'handshake_failure', '9155#2'),
  'md5-signature-chosen': chosen('a signature with MD5', WRONG, '8446#4.4.3'),
  'dsa-signature-chosen': chosen('a signature by DSA', WRONG, '8446#4.4.3'),
  'sha1-signature-chosen': chosen('a signature with SHA-1', WRONG, '8446#4.4.3'),
  'compression-offered': {
    alert: WRONG,
    blame: 'peer',
    rfc: '8446#4.1.2',
    say: 'The client offers TLS 1.3 together with compression, which TLS 1.3 forbids.',
    next: UPDATE,
  },
  'compression-chosen': chosen('compression', WRONG, '8446#4.1.3'),
  'heartbeat-chosen': chosen('the heartbeat extension', 'unsupported_extension', '6520#2'),
  'heartbeat-used': chosen('to send heartbeats', 'unexpected_message', '6520#4'),
  'renegotiation-attempted': {
    alert: 'unexpected_message',
    blame: 'peer',
    rfc: '8446#4.1.2',
    say: 'The peer wants to renegotiate, which TLS 1.3 does not have.',
    next: 'Let the peer use KeyUpdate, or a new connection.',
  },
} as const satisfies Record<string, ReasonRow>;
