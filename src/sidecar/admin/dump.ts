import { type PolicySource, tlsMode } from '#policy';
import type { Connection } from '../connection.ts';
import { policyName } from '../inbound/authorize.ts';
import { formatEndpoint } from '../listen/endpoint.ts';
import type { AdminParts } from './server.ts';

/** All that an operator may want to know of a running sidecar, as JSON. Nothing in it is secret. */
export function dump({
  balancer,
  config,
  connections,
  handshakes,
  listeners,
  plaintextPeers,
  draining,
}: AdminParts): object {
  const { bundle, credentials, identity, inbound, limits, policies, service, workload } = config;
  const set = policies.value;
  return {
    service,
    identity: identity.toString(),
    workload,
    draining: draining(),
    listeners: Object.fromEntries(
      listeners.map(({ name, bound, accepting }) => [name, { address: formatEndpoint(bound), accepting }]),
    ),
    certificate: certificate(credentials.value),
    bundle: {
      trustDomain: bundle.value.trustDomain,
      roots: bundle.value.roots.length,
      hash: bundle.value.hash,
    },
    policy: {
      epoch: set.epoch,
      ...(inbound === undefined ? {} : tlsModeOf(tlsMode(set, workload, inbound.port))),
    },
    handshakesInProgress: handshakes.inbound.inside + handshakes.outbound.inside,
    connections: {
      inbound: connections.count('inbound'),
      outbound: connections.count('outbound'),
      /** Live although the peer's certificate has ended since; rotation is not a reason to cut them. */
      outlivedCertificate: connections.outlived(),
      newest: connections.list().slice(-limits.adminRows).map(row),
    },
    /** Of Services, those that were called last. */
    endpoints: balancer.list().slice(0, limits.adminRows),
    plaintextPeers: plaintextPeers.list(),
    limits,
  };
}

function certificate(held: AdminParts['config']['credentials']['value']): object | null {
  if (held === undefined) return null;
  return {
    spiffeId: held.spiffeId.toString(),
    serial: held.serial,
    notBefore: date(held.notBefore),
    notAfter: date(held.notAfter),
    renewals: held.renewals,
    issuer: { serial: held.issuer.serial, notAfter: date(held.issuer.notAfter) },
  };
}

function tlsModeOf({ mode, source }: { mode: string; source: PolicySource | undefined }): object {
  return { mode, modeFrom: source ?? 'default' };
}

function row({ start, phase, carriage, peer, localSerial, authorization, ...bytes }: Connection): object {
  const decision = authorization?.permit.decision;
  return {
    id: start.id,
    direction: start.direction,
    from: formatEndpoint(start.from),
    since: date(start.since),
    destination: start.destination,
    phase,
    carriage,
    peer: peer?.identity,
    peerSerial: peer?.serial,
    peerNotAfter: peer === undefined ? undefined : date(peer.notAfter),
    localSerial,
    policy: policyName(decision?.policy),
    policyEpoch: decision?.epoch,
    receivedBytes: bytes.receivedBytes,
    sentBytes: bytes.sentBytes,
  };
}

function date(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
