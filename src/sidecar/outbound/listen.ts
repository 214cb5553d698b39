import type { Socket } from 'node:net';
import type { Scope } from '#runtime';
import type { Called, OutboundConfig } from '../config.ts';
import type { Endpoint } from '../listen/endpoint.ts';
import { Listener } from '../listen/listener.ts';
import { acceptErrors } from '../listen/refusals.ts';
import type { SidecarParts } from '../parts.ts';
import { serveOutbound } from './outbound.ts';

/** Where our application's calls come in, and how to tell whom each is for. */
export interface OutboundGate {
  /** For error texts: `outbound of web to orders`. */
  readonly name: string;
  readonly listen: Endpoint;
  /** Undefined: the connection was no call, and somebody else took care of it. */
  readonly calledOf: (socket: Socket) => Called | undefined;
}

/** Accepts our application's calls until the scope ends; a drain doesn't stop it. Throws BindError. */
export function listenOutbound(scope: Scope, gate: OutboundGate, parts: SidecarParts): Promise<Listener> {
  return Listener.open(scope, {
    name: gate.name,
    endpoint: gate.listen,
    keepAliveMilliseconds: parts.config.limits.keepAliveMilliseconds,
    onSocket(socket) {
      const called = gate.calledOf(socket);
      if (called !== undefined) scope.run(() => serveOutbound(socket, called, parts));
    },
    onAcceptError: acceptErrors('outbound', parts.refusals),
  });
}

/** One service by its name. */
export function namedGate(called: OutboundConfig, service: string): OutboundGate {
  return {
    name: `outbound of ${service} to ${called.service}`,
    listen: called.listen,
    calledOf: () => called,
  };
}
