import { TlsError } from '#handshake';
import type { SpiffeId } from '#identity';
import type { WorkloadCredential } from '#identity/workload';
import type { Called, Destination } from '../config.ts';
import { usableCredential } from '../credential.ts';
import type { Endpoint } from '../listen/endpoint.ts';
import type { SidecarParts } from '../parts.ts';
import { SIDECAR_REASONS } from '../reason.ts';
import { unlessEnded } from '../unless-ended.ts';
import type { Accepted } from './accept.ts';

/** Step 2: where the call goes and what must hold there. */
export type Route = MeshRoute | PlaintextRoute;

export interface MeshRoute {
  readonly kind: 'mesh';
  readonly address: Endpoint;
  readonly port: number;
  readonly trustDomain: string;
  /** At least one. */
  readonly identities: readonly SpiffeId[];
  /** What we show; a call without one ends here, before anything is sent. */
  readonly held: WorkloadCredential;
}

/** Only a destination that is known to have no sidecar of another has one: no failure of a handshake leads here. */
export interface PlaintextRoute {
  readonly kind: 'plaintext';
  readonly to: 'unmeshed' | 'egress' | 'self';
  readonly address: Endpoint;
}

/** A destination that is known. */
export type Found = Exclude<Destination, { kind: 'unknown' }>;

/** Throws TlsError `destination-unknown`, or what the source of destinations throws. */
export async function look({ called, connection }: Accepted, mistaken: boolean): Promise<Found> {
  const destination = await unlessEnded(Promise.resolve(called.route(mistaken)), connection.signal);
  if (destination.kind !== 'unknown') return destination;
  throw new TlsError(SIDECAR_REASONS['destination-unknown'], nameOf(called));
}

/** Throws TlsError `destination-unknown` where nobody can be expected, or why we have no usable credential. */
export function routeTo(
  callee: Exclude<Found, { kind: 'service' }>,
  { called, connection }: Accepted,
  { config }: SidecarParts,
): Route {
  if (callee.kind !== 'meshed') {
    connection.carriage = 'plaintext';
    connection.learned({ mode: 'plaintext' });
    return { kind: 'plaintext', to: callee.kind, address: callee.address };
  }
  const { address, port, identities } = callee;
  const trustDomain = soleTrustDomain(identities);
  if (trustDomain === undefined) {
    const detail = `${called.service} is meshed, but its identities are ${identities.join(', ') || 'none'}`;
    throw new TlsError(SIDECAR_REASONS['destination-unknown'], detail);
  }
  const held = usableCredential(config);
  connection.carriage = 'mesh';
  connection.localSerial = held.serial;
  connection.learned({ mode: 'mtls', localSerial: held.serial, destination: nameOf(called, port) });
  return { kind: 'mesh', address, port, trustDomain, identities, held };
}

/** `service:port`, as logs and traces show it. */
export function nameOf({ service, port }: Called, otherwise?: number): string {
  const shown = port ?? otherwise;
  return shown === undefined ? service : `${service}:${shown}`;
}

/** The server name carries one trust domain, so a route must not mix them. */
function soleTrustDomain([first, ...rest]: readonly SpiffeId[]): string | undefined {
  if (first === undefined || rest.some(({ trustDomain }) => trustDomain !== first.trustDomain))
    return undefined;
  return first.trustDomain;
}
