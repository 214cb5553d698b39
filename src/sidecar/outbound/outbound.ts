import type { Socket } from 'node:net';
import type { Called } from '../config.ts';
import type { SidecarParts } from '../parts.ts';
import { follow, passBytes } from '../path.ts';
import { type Accepted, accept } from './accept.ts';
import { reach } from './reach.ts';

/** The path of an outbound connection, from our application to the callee. Resolves when its sockets are closed. */
export async function serveOutbound(socket: Socket, called: Called, parts: SidecarParts): Promise<void> {
  const accepted = accept(socket, called, parts);
  if (accepted !== undefined) await follow(accepted, parts, () => walk(accepted, parts));
}

async function walk(accepted: Accepted, parts: SidecarParts): Promise<void> {
  const { route, peer } = await reach(accepted, parts);
  const { service, telemetry } = parts.config;
  telemetry.routed(service, route.kind === 'mesh' ? 'mesh' : route.to);
  await passBytes(accepted.connection, { application: accepted.end, peer }, parts);
}
