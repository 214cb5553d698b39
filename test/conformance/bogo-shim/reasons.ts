import { reasonTable } from '#handshake';

const ASKED = 'Nothing: the case asks for it.';

/** What the shim itself refuses for, beside the engine's reasons. */
export const SHIM_REASONS = reasonTable({
  'certificate-refused': {
    alert: 'handshake_failure',
    blame: 'peer',
    rfc: '8446#4.4.2.4',
    say: 'The verifier of this case refuses the certificate.',
    next: ASKED,
  },
  'certificate-refused-by-callback': {
    alert: 'certificate_unknown',
    blame: 'peer',
    rfc: '8446#4.4.2.4',
    say: 'The verifier of this case refuses the certificate.',
    next: ASKED,
  },
  'certificate-unreadable': {
    alert: 'decode_error',
    blame: 'peer',
    rfc: '8446#4.4.2.4',
    say: 'The certificate is not an X.509 certificate.',
    next: ASKED,
  },
  'key-usage-forbids': {
    alert: 'illegal_parameter',
    blame: 'peer',
    rfc: '8446#4.4.2.2',
    say: 'The key usage of the certificate lacks digitalSignature.',
    next: ASKED,
  },
  'ocsp-refused': {
    alert: 'bad_certificate_status_response',
    blame: 'peer',
    rfc: '6066#8',
    say: 'The verifier of this case refuses the OCSP response.',
    next: ASKED,
  },
  'certificate-unusable': {
    alert: 'unsupported_certificate',
    blame: 'peer',
    rfc: '8446#4.4.2.4',
    say: 'The certificate has a key of a type that no signature scheme here uses.',
    next: ASKED,
  },
  'sent-on-demand': {
    alert: 'decompression_failure_RESERVED',
    blame: 'local',
    rfc: '8446#6.2',
    say: 'The case asks for a fatal alert.',
    next: ASKED,
  },
});
