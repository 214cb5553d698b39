import { spiffeVerifier } from '#identity';
import { type Scope, sleep } from '#runtime';
import type { CheckedConfig } from '../config.ts';
import type { DrainWatcher } from '../drain.ts';
import { Listener } from '../listen/listener.ts';
import { acceptErrors } from '../listen/refusals.ts';
import type { InboundParts, SidecarParts } from '../parts.ts';
import { SIDECAR_REASONS } from '../reason.ts';
import { serveInbound } from './inbound.ts';
import type { PlaintextPeers } from './plaintext-peers.ts';

/** Accepts calls from the network until the scope ends or the sidecar drains. Throws BindError. */
export async function listenInbound(
  scope: Scope,
  inbound: NonNullable<CheckedConfig['inbound']>,
  parts: SidecarParts & { readonly plaintextPeers: PlaintextPeers },
  drain: DrainWatcher,
): Promise<Listener> {
  const { config, connections } = parts;
  const { clock, limits } = config;
  const callers = spiffeVerifier({ bundle: config.bundle, clock });
  const inboundParts: InboundParts = { ...parts, config: { ...config, inbound }, callers };
  const listener = await Listener.open(scope, {
    name: `inbound of ${config.service}`,
    endpoint: inbound.listen,
    keepAliveMilliseconds: limits.keepAliveMilliseconds,
    onSocket: (socket) => scope.run(() => serveInbound(socket, inboundParts)),
    onAcceptError: acceptErrors('inbound', parts.refusals),
  });
  drain.onDrain(async () => {
    // Callers that have not heard of the drain still come; only then is a refused connection their own news.
    await sleep(clock, limits.drainGraceMilliseconds, scope.signal).catch(() => undefined);
    listener.stop();
    const left = Math.max(limits.drainDeadlineMilliseconds - limits.drainGraceMilliseconds, 0);
    const cancel = clock.after(left, () => connections.end(SIDECAR_REASONS['drain-deadline'], 'inbound'));
    await connections.none('inbound');
    cancel();
  });
  return listener;
}
