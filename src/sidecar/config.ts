import type { CryptoProvider } from '#handshake/crypto';
import type { SpiffeId, TrustBundle } from '#identity';
import type { WorkloadCredential } from '#identity/workload';
import type { ConnectionFacts, Decision, PolicySet, Workload } from '#policy';
import type { Clock, Log, ReadableWatch } from '#runtime';
import type { Telemetry } from '#telemetry';
import type { DestinationSource } from './discover/source.ts';
import type { ListensAt } from './intercept/listening.ts';
import type { OriginalDestination } from './intercept/original-destination.ts';
import type { ResetOnDeath } from './intercept/socket-calls.ts';
import { DEFAULT_LIMITS, limitMistakes, type SidecarLimits } from './limits.ts';
import type { Probe } from './probes/probe.ts';
import { type Endpoint, formatEndpoint, isLoopback } from './listen/endpoint.ts';
import type { Callee, EndpointSet, Whereabouts } from './outbound/endpoint-set.ts';

/** What a called service's name stands for at the moment of the call. */
export type Destination =
  | Callee
  /** A Service: of those that answer for it one is chosen. */
  | { readonly kind: 'service'; readonly endpoints: EndpointSet }
  /** Outside of everything that the mesh speaks of. */
  | { readonly kind: 'egress'; readonly address: Endpoint }
  /** This workload itself: the bytes never leave it. */
  | { readonly kind: 'self'; readonly address: Endpoint }
  /** Not known: refused. */
  | { readonly kind: 'unknown' };

/** Whom our application calls. */
export interface Called {
  /** The service's name, or where it has none the address that was called. */
  readonly service: string;
  /** The port that was called; undefined where the listener's own stands for the service's. */
  readonly port?: number;
  /**
   * Asked for each connection, and again before each further try: the callee may have moved.
   *
   * @param mistaken whoever answered proved another identity than the last answer said: ask the source anew
   */
  readonly route: (mistaken: boolean) => Destination | Promise<Destination>;
  /** Tells this workload's own addresses among the endpoints of a Service; left out: none is. */
  readonly isOwn?: (host: string) => boolean;
}

export interface OutboundConfig extends Called {
  /** Loopback only: who reaches it speaks with this workload's identity. Port 0 picks a free one. */
  readonly listen: Endpoint;
}

/** Connections that the packet filter redirects to us (`sallyport init`), of whatever port and destination. */
export interface CaptureConfig {
  readonly inboundPort: number;
  readonly outboundPort: number;
  /** Metrics and readiness for the kubelet and the like; never captured. */
  readonly statusPort: number;
  /** Nobody listens on it: an answer to a connection from the network proves that inbound capture works. */
  readonly verificationPort: number;
  readonly originalDestination: OriginalDestination;
  readonly resetOnDeath: ResetOnDeath;
  readonly listensAt: ListensAt;
  readonly destinations: ReadableWatch<DestinationSource>;
  /** Of the application, where the protocol begins with the server. */
  readonly serverFirstPorts: ReadonlySet<number>;
  /** What the kubelet may ask of the application by way of the status port. */
  readonly probes: readonly Probe[];
  /** When to say in the log what is wrong if nobody has verified inbound capture; undefined: nobody is expected to. */
  readonly adviseAfterMilliseconds: number | undefined;
}

/** What one sidecar stands for and lives on. Several sidecars may share a process, a telemetry and a policy watch. */
export interface SidecarConfig {
  /** Name of the service, for people, logs and metrics. */
  readonly service: string;
  readonly workload: Workload;
  readonly identity: SpiffeId;
  /** Read once per connection. Undefined: none held yet, and nothing passes. */
  readonly credentials: ReadableWatch<WorkloadCredential | undefined>;
  readonly bundle: ReadableWatch<TrustBundle>;
  readonly policies: ReadableWatch<PolicySet>;
  readonly telemetry: Telemetry;
  readonly log: Log;
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  /** Told of every decision about an inbound connection, for instance to show what to edit. Must not throw. */
  readonly onDecision?: (decision: Decision, facts: ConnectionFacts) => void;
  /** What is not given comes from DEFAULT_LIMITS. */
  readonly limits?: Partial<SidecarLimits>;
  /** Left out by a service that only calls others. */
  readonly inbound?: {
    readonly listen: Endpoint;
    readonly application: Endpoint;
    /** The service's port as policies, the SNI and callers name it. */
    readonly port: number;
  };
  readonly outbound: readonly OutboundConfig[];
  /** In place of `inbound` and `outbound`. */
  readonly capture?: CaptureConfig;
  /** For Services that prefer near endpoints. */
  readonly whereabouts?: Whereabouts;
  /** Returns a number in [0, 1); left out: Math.random. Which endpoint is called needs no better one. */
  readonly random?: () => number;
  /** Loopback only. */
  readonly admin: Endpoint;
}

/** A configuration that was checked; what the rest of this folder works with. */
export interface CheckedConfig extends SidecarConfig {
  readonly limits: SidecarLimits;
}

/** Every mistake in one error: a sidecar that can't be started as asked isn't started at all. */
export class SidecarConfigError extends Error {
  readonly mistakes: readonly string[];

  constructor(service: string, mistakes: readonly string[]) {
    super(`sidecar of ${service}: ${mistakes.join('; ')}`);
    this.name = 'SidecarConfigError';
    this.mistakes = mistakes;
  }
}

/** Throws SidecarConfigError with all mistakes. */
export function checkConfig(config: SidecarConfig): CheckedConfig {
  const limits = Object.freeze({ ...DEFAULT_LIMITS, ...config.limits });
  const mistakes = [...limitMistakes(limits), ...endpointMistakes(config)];
  if (config.service === '') mistakes.push('service is empty: name the service');
  if (mistakes.length > 0) throw new SidecarConfigError(config.service, mistakes);
  return Object.freeze({ ...config, limits });
}

function endpointMistakes(config: SidecarConfig): string[] {
  const mistakes: string[] = [];
  const port = (what: string, value: number, least: number): void => {
    if (!Number.isInteger(value) || value < least || value > 65_535) {
      mistakes.push(`${what} is ${value}: give a port from ${least} to 65535`);
    }
  };
  const loopback = (what: string, endpoint: Endpoint, why: string): void => {
    if (!isLoopback(endpoint.host)) {
      mistakes.push(`${what} is ${formatEndpoint(endpoint)}: give a loopback address, ${why}`);
    }
  };
  port('admin.port', config.admin.port, 0);
  loopback('admin', config.admin, 'since the admin port asks for no identity');
  if (config.inbound !== undefined) {
    port('inbound.listen.port', config.inbound.listen.port, 0);
    port('inbound.application.port', config.inbound.application.port, 1);
    port('inbound.port', config.inbound.port, 1);
  }
  mistakes.push(...captureMistakes(config));
  for (const { service, listen } of config.outbound) {
    port(`outbound ${service}: listen.port`, listen.port, 0);
    loopback(`outbound ${service}: listen`, listen, 'since whoever reaches it borrows this identity');
  }
  return mistakes;
}

function captureMistakes({ admin, capture, inbound, outbound }: SidecarConfig): string[] {
  if (capture === undefined) return [];
  const mistakes: string[] = [];
  if (inbound !== undefined || outbound.length > 0) {
    mistakes.push(
      'capture stands beside inbound or outbound: it takes all connections, so give one or the other',
    );
  }
  const { inboundPort, outboundPort, statusPort, verificationPort } = capture;
  const ports = { inboundPort, outboundPort, statusPort, verificationPort, 'admin.port': admin.port };
  const seen = new Map<number, string>();
  for (const [name, port] of Object.entries(ports)) {
    if (!Number.isInteger(port) || port < 1 || port > 65_535) {
      mistakes.push(`capture: ${name} is ${port}: give a port from 1 to 65535`);
    }
    const other = seen.get(port);
    if (other !== undefined)
      mistakes.push(`capture: ${name} and ${other} are both ${port}: give each its own`);
    seen.set(port, name);
  }
  return mistakes;
}
