import { reasonTable } from '#handshake';

/** Why a remote call, or a connection for remote calls, is refused or failed. */
export const RPC_REASONS = reasonTable({
  'rpc-not-ready': {
    alert: 'internal_error',
    blame: 'local',
    rfc: '8446#6.2',
    say: 'The server has no certificate of its own yet, so it cannot take connections.',
    next: 'Look in its log why its own certificate is missing.',
  },
  'rpc-too-many-connections': {
    alert: 'internal_error',
    blame: 'peer',
    rfc: '9113#10.5',
    say: 'There are more connections for remote calls, in all or from one address, than the server takes.',
    next: 'See who opens them; a sidecar needs two at most.',
  },
  'rpc-unavailable': {
    alert: undefined,
    blame: 'network',
    rfc: 'grpc#UNAVAILABLE',
    say: 'The other side could not be reached, or the connection to it broke.',
    next: 'Check that the controller runs and that its Service has endpoints; the call is tried again.',
  },
  'rpc-timeout': {
    alert: undefined,
    blame: 'network',
    rfc: 'grpc#DEADLINE_EXCEEDED',
    say: 'There was no answer in time.',
    next: 'Look at the load of the other side and at the network between.',
  },
  'rpc-failed': {
    alert: undefined,
    blame: 'peer',
    rfc: 'grpc#INTERNAL',
    say: 'The call was answered with an error that carries no reason of ours.',
    next: 'Compare the versions of both sides, and look in the log of the other side at this time.',
  },
});
