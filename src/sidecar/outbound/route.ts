import { TlsError } from '#handshake';
import type { SpiffeId } from '#identity';
import type { WorkloadCredential } from '#identity/workload';
import type { Called } from '../config.ts';
import { usableCredential } from '../credential.ts';
import type { Endpoint } from '../listen/endpoint.ts';
import type { SidecarParts } from '../parts.ts';
import { SIDECAR_REASONS } from '../reason.ts';
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

/** Throws TlsError `destination-unknown`, or why we have no usable credential. */
export function route({ called, connection }: Accepted, { config }: SidecarParts): Route {
  const destination = called.route();
  if (destination.kind === 'unknown')
    throw new TlsError(SIDECAR_REASONS['destination-unknown'], nameOf(called));
  if (destination.kind !== 'meshed') {
    connection.carriage = 'plaintext';
    connection.learned({ mode: 'plaintext' });
    return { kind: 'plaintext', to: destination.kind, address: destination.address };
  }
  const { address, port, identities } = destination;
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
