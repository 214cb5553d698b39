import type { Socket } from 'node:net';
import type { Endpoint } from '../listen/endpoint.ts';
import type { Redirected } from '../listen/redirected.ts';
import type { InboundGate } from './listen.ts';

/**
 * Every port of the workload. The application is dialled at the address that was called, never at 127.0.0.1: what
 * listens there only is not meant for the network.
 *
 * @param verify answers connections that only ask whether they are captured
 */
export function capturedInboundGate(
  listen: Endpoint,
  redirected: Redirected,
  verify: (socket: Socket) => void,
): InboundGate {
  const { serverFirstPorts, statusPort, verificationPort } = redirected.capture;
  return {
    listen,
    closesWhenDraining: false,
    targetOf(socket) {
      const called = redirected.destinationOf(socket, 'inbound');
      if (called === undefined) return undefined;
      const { host, port } = called;
      if (redirected.isUncallable(port)) return redirected.turnAway(socket, 'inbound', 'own-port', called);
      // Whoever sends us such a connection would have us dial it for him.
      if (!redirected.isOwnAddress(host)) {
        return redirected.turnAway(socket, 'inbound', 'foreign-destination', called);
      }
      // It is served directly; to pass it on would hide that another port is open in its place.
      if (port === statusPort) return redirected.turnAway(socket, 'inbound', 'status-port-captured', called);
      if (port !== verificationPort) {
        // As the system does without us. After a handshake the caller's bytes would be lost; now it may call another.
        if (redirected.nobodyListensAt(called)) {
          return redirected.turnAway(socket, 'inbound', 'application-not-listening', called);
        }
        return { application: called, port, serverFirst: serverFirstPorts.has(port) };
      }
      verify(socket);
      return undefined;
    },
  };
}
