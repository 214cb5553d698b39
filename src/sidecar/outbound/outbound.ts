import type { Socket } from 'node:net';
import type { Called } from '../config.ts';
import { type End, socketEnd } from '../forward/end.ts';
import type { SidecarParts } from '../parts.ts';
import { follow, passBytes } from '../path.ts';
import { type Accepted, accept } from './accept.ts';
import { dial, type Dialled } from './dial.ts';
import { route } from './route.ts';
import { secure } from './tls.ts';

/** The path of an outbound connection, from our application to the callee. Resolves when its sockets are closed. */
export async function serveOutbound(socket: Socket, called: Called, parts: SidecarParts): Promise<void> {
  const accepted = accept(socket, called, parts);
  if (accepted !== undefined) await follow(accepted, parts, () => walk(accepted, parts));
}

async function walk(accepted: Accepted, parts: SidecarParts): Promise<void> {
  const dialled = await dial(accepted, route(accepted, parts), parts);
  const { service, telemetry } = parts.config;
  telemetry.routed(service, dialled.route.kind === 'mesh' ? 'mesh' : dialled.route.to);
  const peer = await reach(accepted, dialled, parts);
  const application = socketEnd(accepted.socket, 'application', parts.config.capture?.resetOnDeath);
  await passBytes(accepted.connection, { application, peer }, parts);
}

/** The callee's end: inside TLS, unless the route itself is plaintext. */
async function reach(accepted: Accepted, { route, socket }: Dialled, parts: SidecarParts): Promise<End> {
  return route.kind === 'mesh'
    ? secure(accepted, { route, socket }, parts)
    : socketEnd(socket, 'peer', parts.config.capture?.resetOnDeath);
}
