import { reasonTable } from '#handshake';

/** Why the controller ends a sidecar's stream of discovery. */
export const DISCOVERY_REASONS = reasonTable({
  'discovery-unauthenticated': {
    alert: undefined,
    blame: 'peer',
    rfc: 'grpc#UNAUTHENTICATED',
    say: 'Discovery was asked for on a connection without a certificate of the mesh.',
    next: 'A sidecar asks for discovery once it holds its first certificate: look at issuance in its log.',
  },
  'discovery-malformed': {
    alert: undefined,
    blame: 'peer',
    rfc: 'grpc#INVALID_ARGUMENT',
    say: 'A request for discovery was not as the protocol has it.',
    next: 'Compare the versions of the sidecar and the controller.',
  },
  'discovery-too-many-subscriptions': {
    alert: undefined,
    blame: 'peer',
    rfc: 'grpc#RESOURCE_EXHAUSTED',
    say: 'One stream asked for more addresses than the controller keeps for one.',
    next: 'Look which addresses the application calls; a sidecar forgets those that it called longest ago.',
  },
  'discovery-too-many-endpoints': {
    alert: undefined,
    blame: 'peer',
    rfc: 'grpc#RESOURCE_EXHAUSTED',
    say: 'One stream asked for Services that together have more endpoints than the controller keeps for one.',
    next: 'Look which Services the application calls; a Service with thousands of endpoints is asked for once for each port.',
  },
  'discovery-too-many-requests': {
    alert: undefined,
    blame: 'peer',
    rfc: 'grpc#RESOURCE_EXHAUSTED',
    say: 'One stream asked for addresses faster than any sidecar calls new ones.',
    next: 'Look at the sidecar that is named, and at what its application does; it connects again by itself.',
  },
  'discovery-second-stream': {
    alert: undefined,
    blame: 'peer',
    rfc: 'grpc#RESOURCE_EXHAUSTED',
    say: 'A second stream for discovery was opened on one connection.',
    next: 'A sidecar needs one stream; compare its version with the controller.',
  },
  'discovery-slow': {
    alert: undefined,
    blame: 'network',
    rfc: 'grpc#UNAVAILABLE',
    say: 'The sidecar did not read what it was told for too long.',
    next: 'Look at the CPU of its pod and at the network between; it connects again by itself.',
  },
  'discovery-silent': {
    alert: undefined,
    blame: 'network',
    rfc: 'grpc#UNAVAILABLE',
    say: 'The sidecar asked for no lease for too long.',
    next: 'Look at the CPU of its pod and at the network between; it connects again by itself.',
  },
  'discovery-ends': {
    alert: undefined,
    blame: 'local',
    rfc: 'grpc#UNAVAILABLE',
    say: 'The controller is shutting down.',
    next: 'Nothing: sidecars go to another replica, or wait for the next.',
  },
});
