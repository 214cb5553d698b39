import type { Socket } from 'node:net';
import { spiffeVerifier } from '#identity';
import { type Scope, sleep } from '#runtime';
import type { DrainWatcher } from '../drain.ts';
import type { Endpoint } from '../listen/endpoint.ts';
import { Listener } from '../listen/listener.ts';
import { acceptErrors } from '../listen/refusals.ts';
import type { InboundParts, SidecarParts } from '../parts.ts';
import { SIDECAR_REASONS } from '../reason.ts';
import type { InboundTarget } from './accept.ts';
import { serveInbound } from './inbound.ts';
import type { PlaintextPeers } from './plaintext-peers.ts';

/** Where calls from the network come in, and how to tell what each is for. */
export interface InboundGate {
  readonly listen: Endpoint;
  /** Undefined: the connection was no call, and somebody else took care of it. */
  readonly targetOf: (socket: Socket) => InboundTarget | undefined;
  /** A listener for one port closes it for all to see. One for every port leaves that to the application's own. */
  readonly closesWhenDraining: boolean;
}

/** Accepts calls from the network until the scope ends or the sidecar drains. Throws BindError. */
export async function listenInbound(
  scope: Scope,
  gate: InboundGate,
  parts: SidecarParts & { readonly plaintextPeers: PlaintextPeers },
  drain: DrainWatcher,
): Promise<Listener> {
  const { config, connections } = parts;
  const { clock, limits } = config;
  const callers = spiffeVerifier({ bundle: config.bundle, clock });
  const inboundParts: InboundParts = { ...parts, callers };
  const listener = await Listener.open(scope, {
    name: `inbound of ${config.service}`,
    endpoint: gate.listen,
    keepAliveMilliseconds: limits.keepAliveMilliseconds,
    onSocket(socket) {
      const target = gate.targetOf(socket);
      if (target !== undefined) scope.run(() => serveInbound(socket, target, inboundParts));
    },
    onAcceptError: acceptErrors('inbound', parts.refusals),
  });
  drain.onDrain(async (late) => {
    const cut = (): void => {
      // Or those that still come would put the end off for ever.
      listener.stop();
      connections.end(SIDECAR_REASONS['drain-deadline'], 'inbound');
    };
    late.addEventListener('abort', cut, { once: true });
    // Callers that have not heard of the drain still come; only then is a refused connection their own news.
    await sleep(clock, limits.drainGraceMilliseconds, scope.signal).catch(() => undefined);
    if (gate.closesWhenDraining) listener.stop();
    if (late.aborted) cut();
    await connections.none('inbound');
    late.removeEventListener('abort', cut);
  });
  return listener;
}

/** The one port of a service that was named. */
export function namedGate(inbound: {
  readonly listen: Endpoint;
  readonly application: Endpoint;
  readonly port: number;
}): InboundGate {
  const { listen, application, port } = inbound;
  const target: InboundTarget = { application, port, serverFirst: false };
  return { listen, targetOf: () => target, closesWhenDraining: true };
}
