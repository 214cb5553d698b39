import type { Refusal } from '#handshake';
import {
  DISCOVERY,
  type DiscoveryHandlers,
  type DiscoveryRequest__Output,
  type DiscoveryResponse,
  type RpcConnection,
  type RpcRefusal,
  type RpcService,
  type RpcStatus,
  serve,
  statusError,
} from '#rpc';
import { DISCOVERY_REASONS } from '../reasons.ts';
import type { Hub } from './hub.ts';
import type { SessionPod } from './session.ts';

/**
 * `sallyport.v1.Discovery` for one connection. Whoever proved an identity of the mesh may ask.
 *
 * @param pod as the connection's certificate names it: it is told the policies of that pod
 */
export function discoveryService(hub: Hub, connection: RpcConnection, pod?: SessionPod): RpcService {
  let open = 0;
  const handlers: DiscoveryHandlers = {
    Watch(call) {
      // A stream that broke says so by 'cancelled'; its error has nobody else to tell.
      call.on('error', () => undefined);
      const refusal = open > 0 ? 'discovery-second-stream' : 'discovery-unauthenticated';
      if (open > 0 || connection.peer === undefined) {
        call.emit('error', statusError(withStatus({ reason: DISCOVERY_REASONS[refusal], detail: '' })));
        return;
      }
      open += 1;
      const name = `${connection.peer.identity} at ${connection.remoteAddress}`;
      const session = hub.open(
        {
          write: (response) => call.write(response),
          end(why) {
            call.emit('error', statusError(withStatus(why)));
            // What it was sent before waits to be read, which may be never.
            if (STALLED.has(why.reason)) connection.end();
          },
        },
        name,
        pod,
      );
      let over = false;
      const close = (): void => {
        if (over) return;
        over = true;
        open -= 1;
        session.close();
      };
      call.on('data', (request: DiscoveryRequest__Output) => session.receive(request));
      call.on('drain', () => session.drained());
      call.on('end', () => {
        close();
        call.end();
      });
      call.on('cancelled', close);
      connection.signal.addEventListener('abort', close, { once: true });
    },
  };
  return serve<DiscoveryHandlers>(ENCODED_ONCE, handlers);
}

const STALLED: ReadonlySet<Refusal['reason']> = new Set([
  DISCOVERY_REASONS['discovery-slow'],
  DISCOVERY_REASONS['discovery-silent'],
]);

const encoded = new WeakMap<DiscoveryResponse, Buffer>();

/** An answer goes to everybody who asked for it as one object, so its bytes are made once. */
const ENCODED_ONCE: typeof DISCOVERY = {
  Watch: {
    ...DISCOVERY.Watch,
    responseSerialize(response: DiscoveryResponse): Buffer {
      const bytes = encoded.get(response) ?? DISCOVERY.Watch.responseSerialize(response);
      encoded.set(response, bytes);
      return bytes;
    },
  },
};

function withStatus(refusal: Refusal): RpcRefusal {
  return { ...refusal, status: STATUSES[refusal.reason.rfc] ?? 'UNAVAILABLE' };
}

const STATUSES: Readonly<Record<string, RpcStatus>> = {
  'grpc#UNAUTHENTICATED': 'UNAUTHENTICATED',
  'grpc#INVALID_ARGUMENT': 'INVALID_ARGUMENT',
  'grpc#RESOURCE_EXHAUSTED': 'RESOURCE_EXHAUSTED',
};
