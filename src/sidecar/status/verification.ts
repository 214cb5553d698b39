import type { Socket } from 'node:net';
import type { Scope } from '#runtime';
import type { CaptureConfig, CheckedConfig } from '../config.ts';
import type { StatusServer } from './server.ts';

/**
 * Inbound capture is proved from outside: nobody listens on the verification port, so whoever gets an answer there was
 * redirected to us. Says so in the log at the first one, and what to look at if none comes in time.
 */
export function verification(
  scope: Scope,
  { clock, log }: CheckedConfig,
  { adviseAfterMilliseconds, verificationPort, inboundPort }: CaptureConfig,
  status: StatusServer,
): (socket: Socket) => void {
  let verified = false;
  const advise = (): void => {
    log.warn('nobody has verified inbound capture', {
      verificationPort,
      say: 'Connections from the network may pass beside this sidecar, or cannot reach it.',
      next:
        'The pod needs `sallyport init` as an init container before this one, and this one a startupProbe with ' +
        `httpGet on port ${verificationPort}, path /ready. If it has both: do rules of others take precedence ` +
        `(nft list ruleset), was init told of the same ports, and does a NetworkPolicy let the node reach port ${verificationPort}?`,
    });
  };
  if (adviseAfterMilliseconds !== undefined)
    scope.defer(clock.after(adviseAfterMilliseconds, () => verified || advise()));
  return (socket) => {
    if (!verified) log.info('inbound capture verified', { verificationPort, inboundPort });
    verified = true;
    status.verify(socket);
  };
}
