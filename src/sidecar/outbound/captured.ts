import { bracketed, type Endpoint, isLoopback } from '../listen/endpoint.ts';
import type { Redirected } from '../listen/redirected.ts';
import type { OutboundGate } from './listen.ts';

/** Every destination of the application. `listen` is the loopback address that redirects of a family lead to. */
export function capturedOutboundGate(
  listen: Endpoint,
  service: string,
  redirected: Redirected,
): OutboundGate {
  const { destinations } = redirected.capture;
  const isOwn = (host: string): boolean => redirected.isOwnAddress(host);
  return {
    name: `outbound of ${service}`,
    listen,
    calledOf(socket) {
      const called = redirected.destinationOf(socket, 'outbound');
      if (called === undefined) return undefined;
      const { host, port } = called;
      // Calls of loopback are not redirected, so this port itself was dialled; our own ones would lead back here.
      if (isLoopback(host) || (isOwn(host) && redirected.isUncallable(port))) {
        return redirected.turnAway(socket, 'outbound', 'own-port', called);
      }
      return {
        service: destinations.value.serviceAt(called) ?? bracketed(host),
        port,
        route: (mistaken) => destinations.value.destinationOf(called, isOwn, mistaken),
        isOwn,
      };
    },
  };
}
