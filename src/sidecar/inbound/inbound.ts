import type { Socket } from 'node:net';
import type { End } from '../forward/end.ts';
import { enterInboundHandshake } from '../listen/admit.ts';
import type { InboundParts } from '../parts.ts';
import { follow, passBytes } from '../path.ts';
import { type Accepted, accept, type InboundTarget } from './accept.ts';
import { type Authorized, authorize } from './authorize.ts';
import { detect } from './detect.ts';
import { dial } from './dial.ts';
import { awaitFirstWord } from './first-word.ts';
import { identify } from './tls.ts';
import { ticketsAfter } from '../sessions.ts';

/** The path of an inbound connection, from the network to our application. Resolves when its sockets are closed. */
export async function serveInbound(
  socket: Socket,
  target: InboundTarget,
  parts: InboundParts,
): Promise<void> {
  const accepted = accept(socket, target, parts);
  if (accepted !== undefined) await follow(accepted, parts, () => walk(accepted, parts));
}

async function walk(accepted: Accepted, parts: InboundParts): Promise<void> {
  const { connection, socket } = accepted;
  let leaveHandshake = enterInboundHandshake(connection, parts);
  connection.phase = 'handshaking';
  let authorized: Authorized;
  let dialled: End | undefined;
  try {
    let detected = await detect(accepted, parts);
    if (detected === 'gone') return socket.destroySoon();
    if ('permit' in detected) {
      // It may stay silent for as long as it likes, and is no handshake until it isn't.
      leaveHandshake();
      ({ detected, application: dialled } = await awaitFirstWord(detected, parts));
      leaveHandshake = enterInboundHandshake(connection, parts);
    }
    authorized = authorize(await identify(detected, parts), parts);
  } finally {
    // However it went: a caller that was refused may take its time to close.
    leaveHandshake();
  }
  giveTickets(authorized);
  const application = dialled ?? (await dial(authorized, parts));
  await passBytes(connection, { application, peer: authorized.end, unread: authorized.unread }, parts);
}

/** Only a caller that may pass can spare itself the next full handshake: the permit is asked for by the type. */
function giveTickets({ tls }: Authorized): void {
  tls?.issueTickets(ticketsAfter(tls.session?.kind));
}
