import {
  type handleUnaryCall,
  Metadata,
  type ServiceDefinition,
  status,
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
