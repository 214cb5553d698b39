import type { Scope } from '#runtime';
import type { OutboundConfig } from '../config.ts';
import { Listener } from '../listen/listener.ts';
import { acceptErrors } from '../listen/refusals.ts';
import type { SidecarParts } from '../parts.ts';
import { serveOutbound } from './outbound.ts';

/** Accepts our application's calls of one service until the scope ends; a drain doesn't stop it. Throws BindError. */
export function listenOutbound(scope: Scope, called: OutboundConfig, parts: SidecarParts): Promise<Listener> {
  return Listener.open(scope, {
    name: `outbound of ${parts.config.service} to ${called.service}`,
    endpoint: called.listen,
    keepAliveMilliseconds: parts.config.limits.keepAliveMilliseconds,
    onSocket: (socket) => scope.run(() => serveOutbound(socket, called, parts)),
    onAcceptError: acceptErrors('outbound', parts.refusals),
  });
}
