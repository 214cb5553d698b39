import { TlsError } from '#handshake';
import { connect } from '../forward/connect.ts';
import { type End, socketEnd } from '../forward/end.ts';
import type { InboundParts } from '../parts.ts';
import { SIDECAR_REASONS } from '../reason.ts';
import type { Accepted } from './accept.ts';
import type { Permit } from './authorize.ts';

/** Step 5: the application, reached for a caller that may. Throws TlsError `application-unreachable`. */
export async function dial(
  { connection, target }: Accepted & { readonly permit: Permit },
  { config }: InboundParts,
): Promise<End> {
  const { clock, limits } = config;
  connection.phase = 'dialling';
  try {
    const socket = await connect(target.application, {
      clock,
      timeoutMilliseconds: limits.connectTimeoutMilliseconds,
      keepAliveMilliseconds: limits.keepAliveMilliseconds,
      signal: connection.signal,
    });
    const application = socketEnd(socket, 'application', config.capture?.resetOnDeath);
    connection.hold(application);
    return application;
  } catch (error) {
    if (connection.signal.aborted || !(error instanceof TlsError)) throw error;
    if (error.reason === SIDECAR_REASONS['descriptors-exhausted']) throw error;
    throw new TlsError(SIDECAR_REASONS['application-unreachable'], `${error.code} ${error.detail}`);
  }
}
