import type { Socket } from 'node:net';
import { TlsError } from '#handshake';
import { FirstBytes, hasAny } from '../detect/first-bytes.ts';
import type { End } from '../forward/end.ts';
import type { InboundParts } from '../parts.ts';
import { SIDECAR_REASONS } from '../reason.ts';
import { factsOf, Permit } from './authorize.ts';
import { type Detected, recognise, type Silent } from './detect.ts';
import { dial } from './dial.ts';

/** What a silent peer turned out to be, and the application that was dialled for it, which has been sent nothing. */
export interface FirstWord {
  readonly detected: Detected;
  readonly application: End;
}

/**
 * The application gets the chance to speak first, as a server-first protocol wants it. As long as it has not, the peer
 * may still begin with the mesh's handshake: a sidecar whose CPU was taken away for longer than we wait is late, and no
 * less a sidecar. Its bytes never reach the application then.
 */
export async function awaitFirstWord(silent: Silent, parts: InboundParts): Promise<FirstWord> {
  const { connection, first, permit } = silent;
  const { config } = parts;
  const { clock, limits } = config;
  const facts = factsOf(silent, config);
  connection.authorization = { permit, again: (set) => Permit.decide(set, facts) };
  const application = await dial(silent, parts);
  connection.phase = 'forwarding';
  const theirs = new FirstBytes(application.transport, clock, SIDECAR_REASONS['application-reset']);
  await anyWord([first, theirs], limits.idleTimeoutMilliseconds, connection.signal);
  connection.authorization = undefined;
  connection.phase = 'handshaking';
  const deadline = clock.monotonic() + limits.handshakeTimeoutMilliseconds;
  const accepted = { ...silent, deadline };
  if (theirs.bytes.length === 0 && first.bytes.length > 0)
    return { detected: await recognise(accepted, first, parts), application };
  putBack(application.transport, theirs.bytes);
  return { detected: { ...accepted, carriage: 'plaintext', head: first.bytes }, application };
}

/** Resolves when one of them has a byte or has ended; the others are left as they are, paused. */
async function anyWord(
  sides: readonly FirstBytes[],
  milliseconds: number,
  signal: AbortSignal,
): Promise<void> {
  const enough = new AbortController();
  const either = AbortSignal.any([signal, enough.signal]);
  const words = sides.map((side) => side.until(hasAny, milliseconds, either));
  try {
    const arrival = await Promise.race(words);
    if (arrival === 'timeout') throw new TlsError(SIDECAR_REASONS['idle-timeout'], `${milliseconds} ms`);
  } finally {
    enough.abort();
    await Promise.allSettled(words);
  }
}

function putBack(socket: Socket, bytes: Uint8Array): void {
  if (bytes.length > 0) socket.unshift(Buffer.from(bytes));
}
