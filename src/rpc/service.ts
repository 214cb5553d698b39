import {
  type handleUnaryCall,
  Metadata,
  type ServerDuplexStream,
  type ServiceDefinition,
  status,
  type UntypedHandleCall,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { Refusal, VerifiedPeer } from '#handshake';
import type { Result } from '#runtime';
import { DETAIL_KEY, encodeDetail, REASON_KEY } from './failure.ts';

/** A connection that a client opened, as services see it. Handlers are made for each, so no call can take another's. */
export interface RpcConnection<Peer extends VerifiedPeer = VerifiedPeer> {
  /** Whom the client's certificate proved; undefined without one. A connection does not outlive the certificate. */
  readonly peer: Peer | undefined;
  /** The client's IP address, an IPv4 one never in its mapped form. */
  readonly remoteAddress: string;
  /** Aborts when the connection is over. */
  readonly signal: AbortSignal;
  /** Makes a handler of a function that answers or refuses. What it throws is logged and answered as INTERNAL. */
  unary<Request, Response>(
    answer: (request: Request, call: UnaryCall) => Promise<Result<Response, RpcRefusal>>,
  ): handleUnaryCall<Request, Response>;
  /** Ends the connection at once; calls on it fail. */
  end(): void;
}

export interface UnaryCall {
  /** Aborts when the caller gave up, the connection is over or the time is. */
  readonly signal: AbortSignal;
}

/** What gRPC calls the kind of a refusal. */
export type RpcStatus =
  | 'INVALID_ARGUMENT'
  | 'UNAUTHENTICATED'
  | 'PERMISSION_DENIED'
  | 'RESOURCE_EXHAUSTED'
  | 'FAILED_PRECONDITION'
  | 'UNAVAILABLE'
  | 'INTERNAL';

export interface RpcRefusal extends Refusal {
  readonly status: RpcStatus;
}

/** Handlers of one service for one connection. */
export interface RpcService {
  readonly definition: ServiceDefinition;
  readonly handlers: UntypedServiceImplementation;
}

/** Joins a service to its handlers: `serve<IssuanceHandlers>(ISSUANCE, { Issue, Renew })`. */
export function serve<Handlers extends UntypedServiceImplementation>(
  definition: { readonly [Name in keyof Handlers]: unknown } & ServiceDefinition,
  handlers: Handlers,
): RpcService {
  return { definition, handlers };
}

/**
 * The same service for callers that may be served at all: each call asks first. What it is refused with is for the
 * caller; nothing of the call is read before.
 */
export function guarded(
  { definition, handlers }: RpcService,
  refusal: (signal: AbortSignal) => Promise<RpcRefusal | undefined>,
): RpcService {
  const guardedHandlers = Object.entries(handlers).map(([name, handler]) => {
    const answer = handler as (call: GuardedCall, finish?: Finish) => void;
    const ask = (call: GuardedCall, finish?: Finish): void => {
      const over = new AbortController();
      // A stream that broke says so by 'cancelled'; its error has nobody else to tell.
      call.on('error', () => undefined);
      call.once('cancelled', () => over.abort(new Error('the caller gave up')));
      const fail = (error: Error): void =>
        void (finish === undefined ? call.emit('error', error) : finish(error));
      refusal(over.signal).then(
        (refused) => {
          if (call.cancelled) return;
          if (refused === undefined) answer(call, finish);
          else fail(statusError(refused));
        },
        () => fail(Object.assign(new Error('internal error'), { code: status.INTERNAL })),
      );
    };
    return [name, ask as UntypedHandleCall] as const;
  });
  return { definition, handlers: Object.fromEntries(guardedHandlers) };
}

type GuardedCall = ServerDuplexStream<unknown, unknown>;
type Finish = (error: Error) => void;

/** A refusal as the error that ends a call, with the reason's code where the client finds it. For streams too. */
export function statusError({ status: name, reason, detail }: RpcRefusal): Error & {
  code: status;
  details: string;
  metadata: Metadata;
} {
  const metadata = new Metadata();
  metadata.set(REASON_KEY, reason.code);
  if (detail !== '') metadata.set(DETAIL_KEY, encodeDetail(detail));
  return Object.assign(new Error(reason.say), { code: status[name], details: reason.say, metadata });
}
