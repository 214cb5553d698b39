import type { Scope } from '#runtime';
import { type Readiness, readiness } from './admin/readiness.ts';
import { serveAdmin } from './admin/server.ts';
import { type CaptureConfig, type CheckedConfig, checkConfig, type SidecarConfig } from './config.ts';
import { Connections } from './connections.ts';
import { type DrainTrigger, type DrainWatcher, drainPair } from './drain.ts';
import { capturedInboundGate } from './inbound/captured.ts';
import { listenInbound, namedGate as namedInbound } from './inbound/listen.ts';
import { PlaintextPeers } from './inbound/plaintext-peers.ts';
import { Admission } from './listen/admission.ts';
import { everyBound } from './listen/bind.ts';
import type { Endpoint } from './listen/endpoint.ts';
import type { Listener } from './listen/listener.ts';
import { addressesHere, OwnAddresses } from './listen/own-addresses.ts';
import { Redirected } from './listen/redirected.ts';
import { Refusals } from './listen/refusals.ts';
import { capturedOutboundGate } from './outbound/captured.ts';
import { openBalancer } from './outbound/open-balancer.ts';
import { listenOutbound, namedGate as namedOutbound } from './outbound/listen.ts';
import type { SidecarParts } from './parts.ts';
import { Probes } from './probes/probes.ts';
import { SIDECAR_REASONS } from './reason.ts';
import { Sessions } from './sessions.ts';
import { serveStatus } from './status/server.ts';
import { verification } from './status/verification.ts';
import { uncapturedPackets } from './status/uncaptured.ts';

/** The bound addresses: with the ports that were picked where port 0 was asked for. */
export interface SidecarAddresses {
  readonly inbound: Endpoint | undefined;
  /** By the name of the called service. */
  readonly outbound: ReadonlyMap<string, Endpoint>;
  readonly admin: Endpoint;
}

/** One service's gate: everything that goes in or out passes here. Ends with its scope. */
export class Sidecar {
  readonly addresses: SidecarAddresses;
  readonly #config: CheckedConfig;
  readonly #connections: Connections;
  readonly #trigger: DrainTrigger;
  readonly #watcher: DrainWatcher;

  private constructor(
    config: CheckedConfig,
    connections: Connections,
    addresses: SidecarAddresses,
    drain: { readonly trigger: DrainTrigger; readonly watcher: DrainWatcher },
  ) {
    this.addresses = addresses;
    this.#config = config;
    this.#connections = connections;
    this.#trigger = drain.trigger;
    this.#watcher = drain.watcher;
  }

  /**
   * Binds every port and starts serving. Throws SidecarConfigError with every mistake of the configuration, or
   * BindError with every listener's port that can't be had; then nothing is left bound.
   */
  static async start(parent: Scope, unchecked: SidecarConfig): Promise<Sidecar> {
    const config = checkConfig(unchecked);
    const scope = parent.child(`sidecar of ${config.service}`);
    const connections = new Connections(config);
    const drain = drainPair();
    try {
      return new Sidecar(config, connections, await open(scope, config, connections, drain), drain);
    } catch (error) {
      await scope.close();
      throw error;
    }
  }

  /** Whether a call that comes now can succeed, and if not, why. */
  get readiness(): Readiness {
    return readiness(this.#config, this.#watcher.draining);
  }

  /**
   * Inbound stops accepting after the grace and its connections may finish until the deadline; outbound lives on until
   * the scope ends. Resolves when no inbound connection is left.
   */
  drain(): Promise<void> {
    return drainInTime(this.#config, this.#trigger);
  }

  /**
   * For a program that is about to exit without a drain: resets every connection, or else the kernel would end them
   * with a FIN that passes for the end of a whole answer. The sockets are reset before the next turn of the event loop.
   */
  endAll(): void {
    this.#connections.end(SIDECAR_REASONS.shutdown);
  }
}

/** Puts the parts together: what is made here lives as long as the scope. */
async function open(
  scope: Scope,
  config: CheckedConfig,
  connections: Connections,
  { trigger, watcher }: ReturnType<typeof drainPair>,
): Promise<SidecarAddresses> {
  const { credentials, limits, policies, service, telemetry } = config;
  // Deferred first, so done last: when no listener brings new ones any more.
  scope.defer(() => connections.end(SIDECAR_REASONS.shutdown));
  watcher.onDrain(async () => config.log.info('draining', { inbound: connections.count('inbound') }));
  scope.defer(policies.subscribe((set) => connections.redecide(set)));
  scope.defer(telemetry.watchCredentials(service, credentials));
  const parts = {
    config,
    connections,
    handshakes: { inbound: new Admission(limits.handshakes), outbound: new Admission(limits.handshakes) },
    refusals: new Refusals(config),
    balancer: openBalancer(scope, config),
    sessions: Sessions.open(scope, config),
    plaintextPeers: new PlaintextPeers(limits.adminRows),
  };
  scope.defer(telemetry.watchPlaintext(service, () => parts.plaintextPeers.list()));
  const opened = await (config.capture === undefined
    ? openNamed(scope, parts, watcher)
    : openCaptured(scope, config.capture, parts, watcher));
  const admin = await serveAdmin(scope, {
    ...parts,
    listeners: opened.listeners,
    draining: () => watcher.draining,
    // In a pod the kubelet keeps the time: the application ends its connections, however long it may take for that.
    drain: () =>
      scope.run(() => (config.capture === undefined ? drainInTime(config, trigger) : trigger.start())),
  });
  return { ...opened.addresses, admin };
}

/** Until no inbound connection is left, or the deadline has cut the last. */
async function drainInTime({ clock, limits }: CheckedConfig, trigger: DrainTrigger): Promise<void> {
  const cancel = clock.after(limits.drainDeadlineMilliseconds, () => trigger.expire());
  try {
    await trigger.start();
  } finally {
    cancel();
  }
}

interface Opened {
  readonly listeners: readonly Listener[];
  readonly addresses: Omit<SidecarAddresses, 'admin'>;
}

type Parts = SidecarParts & { readonly plaintextPeers: PlaintextPeers };

/** A listener for each service that was named. */
async function openNamed(scope: Scope, parts: Parts, watcher: DrainWatcher): Promise<Opened> {
  const { inbound, outbound, service } = parts.config;
  const listeners = await everyBound([
    ...(inbound === undefined ? [] : [listenInbound(scope, namedInbound(inbound), parts, watcher)]),
    ...outbound.map((called) => listenOutbound(scope, namedOutbound(called, service), parts)),
  ]);
  const outboundListeners = inbound === undefined ? listeners : listeners.slice(1);
  const addresses = {
    inbound: inbound === undefined ? undefined : listeners[0]?.bound,
    outbound: new Map(
      outbound.flatMap(({ service }, index): [string, Endpoint][] => {
        const listener = outboundListeners[index];
        return listener === undefined ? [] : [[service, listener.bound]];
      }),
    ),
  };
  return { listeners, addresses };
}

/** The two ports that everything is redirected to, in both families where there are two, and the status port. */
async function openCaptured(
  scope: Scope,
  capture: CaptureConfig,
  parts: Parts,
  watcher: DrainWatcher,
): Promise<Opened> {
  const { config, refusals } = parts;
  scope.defer(config.telemetry.watchUncaptured(config.service, uncapturedPackets));
  const redirected = new Redirected(capture, config.admin.port, new OwnAddresses(config.clock), refusals);
  const here = addressesHere();
  const any = here.some((address) => address.includes(':')) ? '::' : '0.0.0.0';
  const { statusPort, verificationPort } = capture;
  const isSidecarPort = (port: number): boolean =>
    redirected.isUncallable(port) || port === statusPort || port === verificationPort;
  const status = await serveStatus(
    scope,
    { host: any, port: statusPort },
    {
      config,
      draining: () => watcher.draining,
      probes: new Probes(config, capture.probes, isSidecarPort),
    },
  );
  const verify = verification(scope, config, capture, status);
  const inbound = { host: any, port: capture.inboundPort };
  const outbound = ['127.0.0.1', '::1'].filter((host) => here.includes(host));
  const listeners = await everyBound([
    listenInbound(scope, capturedInboundGate(inbound, redirected, verify), parts, watcher),
    ...outbound.map((host) => {
      const listen = { host, port: capture.outboundPort };
      return listenOutbound(scope, capturedOutboundGate(listen, config.service, redirected), parts);
    }),
  ]);
  return { listeners, addresses: { inbound, outbound: new Map() } };
}
