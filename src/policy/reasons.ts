import { reasonTable } from '#handshake';

/**
 * Why a connection was allowed or refused. `access_denied` is sent where the peer speaks TLS (RFC 8446 6.2: "A valid
 * certificate or PSK was received, but when access control was applied, the sender decided not to proceed with
 * negotiation"); a plaintext peer has no alert to be told by.
 */
export const POLICY_REASONS = reasonTable({
  'allowed-by-policy': {
    alert: undefined,
    blame: 'operator',
    rfc: 'docs/policy.md#how-a-connection-is-decided',
    say: 'An Allow policy matches this connection and no Deny does.',
    next: 'Nothing to do.',
  },
  'allowed-by-default': {
    alert: undefined,
    blame: 'operator',
    rfc: 'docs/policy.md#defaults',
    say: 'No Allow policy selects this workload, and the default lets every verified identity in.',
    next: 'Add an Allow policy for the workload to admit only the callers that it names.',
  },
  'plaintext-allowed-by-default': {
    alert: undefined,
    blame: 'operator',
    rfc: 'docs/policy.md#defaults',
    say: 'No Allow policy selects this workload, and its TLS mode admits plaintext.',
    next: 'Bring the caller into the mesh, then set MeshTLS to Strict.',
  },
  'denied-by-policy': {
    alert: 'access_denied',
    blame: 'operator',
    rfc: '8446#6.2',
    say: 'A Deny policy matches this connection; Deny wins over every Allow.',
    next: 'If the caller should pass, take it out of the Deny policy that is named.',
  },
  'denial-not-ruled-out': {
    alert: 'access_denied',
    blame: 'operator',
    rfc: 'docs/policy.md#a-peer-without-identity',
    say: 'A Deny policy asks about something that is not known of this peer, so it cannot be ruled out.',
    next: 'Give the caller a mesh identity, or add "peer: Authenticated" to the Deny entry if it should spare plaintext.',
  },
  'no-policy-allows': {
    alert: 'access_denied',
    blame: 'operator',
    rfc: '8446#6.2',
    say: 'No Allow policy matches this connection.',
    next: 'If the caller should pass, add it to the Allow policy that is named, or add one for the workload.',
  },
  'no-identity': {
    alert: undefined,
    blame: 'peer',
    rfc: 'docs/policy.md#a-peer-without-identity',
    say: 'The peer speaks plaintext and so has no identity, and no Allow policy admits peers without one.',
    next: 'Bring the caller into the mesh; or admit its network with an Allow rule that has only cidrs.',
  },
  'plaintext-refused': {
    alert: undefined,
    blame: 'peer',
    rfc: 'docs/policy.md#meshtls',
    say: 'The TLS mode of this port is Strict and the peer speaks plaintext.',
    next: 'Bring the caller into the mesh, or set MeshTLS to Permissive for this port while it moves.',
  },
});
