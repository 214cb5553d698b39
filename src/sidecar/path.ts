import { forward } from './forward/forward.ts';
import { type End, failureOf } from './forward/end.ts';
import type { Connection } from './connection.ts';
import type { Admitted } from './listen/admit.ts';
import type { SidecarParts } from './parts.ts';
import { SIDECAR_REASONS } from './reason.ts';

/**
 * Runs one connection's path. Whatever step it ends in, its line is written with the reason, what it holds is closed,
 * and only then it leaves the registry. Never rejects.
 */
export async function follow(
  { connection, release }: Admitted,
  { config }: SidecarParts,
  walk: () => Promise<void>,
): Promise<void> {
  let failure: ReturnType<typeof failureOf> | undefined;
  try {
    await walk();
  } catch (error) {
    failure = failureOf(error, SIDECAR_REASONS['internal-error']);
    if (failure !== error) {
      const stack = error instanceof Error ? error.stack : undefined;
      config.log.error('a connection met an error that has no reason', { error: String(error), stack });
    }
  }
  try {
    await connection.close(failure, config.clock, config.limits.lingerMilliseconds);
  } finally {
    release();
  }
}

/** The last step of both paths: bytes pass between our application and the peer until both directions ended. */
export async function passBytes(
  connection: Connection,
  ends: { readonly application: End; readonly peer: End; readonly unread?: Uint8Array },
  { config }: SidecarParts,
): Promise<void> {
  connection.phase = 'forwarding';
  const { idleTimeoutMilliseconds } = config.limits;
  const { application, peer, unread } = ends;
  await forward(application, peer, connection, {
    clock: config.clock,
    idleTimeoutMilliseconds,
    ...(unread === undefined ? {} : { unread }),
  });
}
