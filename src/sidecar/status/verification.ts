import type { Socket } from 'node:net';
import type { Scope } from '#runtime';
import type { CaptureConfig, CheckedConfig } from '../config.ts';
import { SIDECAR_REASONS } from '../reason.ts';
import type { StatusServer } from './server.ts';

/**
 * Inbound capture is proved from outside: nobody listens on the verification port, so whoever gets an answer there was
 * redirected to us. Says so in the log at the first one, and what to look at if none comes in time.
 */
export function verification(
  scope: Scope,
  { clock, log, service, telemetry }: CheckedConfig,
  { adviseAfterMilliseconds, verificationPort, inboundPort }: CaptureConfig,
  status: StatusServer,
): (socket: Socket) => void {
  let verified = false;
  scope.defer(telemetry.watchCapture(service, () => verified));
  const advise = (): void => {
    const { code, say, next } = SIDECAR_REASONS['capture-unverified'];
    log.warn('nobody has verified inbound capture', { reason: code, verificationPort, say, next });
  };
  if (adviseAfterMilliseconds !== undefined)
    scope.defer(clock.after(adviseAfterMilliseconds, () => verified || advise()));
  return (socket) => {
    if (!verified) log.info('inbound capture verified', { verificationPort, inboundPort });
    verified = true;
    status.verify(socket);
  };
}
