import { type ServiceError, status } from '@grpc/grpc-js';
import type { Refusal, TlsError } from '#handshake';
import { printable } from '#runtime';
import { RPC_REASONS } from './reasons.ts';

/** Metadata of the end of a call that was refused: the code of a reason, and what this case adds to it. */
export const REASON_KEY = 'sallyport-reason';
export const DETAIL_KEY = 'sallyport-detail';

/** A call that did not succeed, as its caller sees it. */
export interface RpcFailure extends Refusal {
  /** The code of the reason that the other side gave, if it was the other side that refused. Untrusted text. */
  readonly remoteCode: string | undefined;
}

/** `connecting` is what last kept this channel from connecting: it says more than grpc-js does. */
export function failureOf(error: ServiceError, connecting: TlsError | undefined): RpcFailure {
  const [code] = error.metadata?.get(REASON_KEY) ?? [];
  const [detail] = error.metadata?.get(DETAIL_KEY) ?? [];
  if (typeof code === 'string') {
    const text = typeof detail === 'string' ? decodeDetail(detail) : '';
    return { reason: RPC_REASONS['rpc-failed'], detail: printable(text), remoteCode: printable(code) };
  }
  const remoteCode = undefined;
  if (error.code === status.UNAVAILABLE && connecting !== undefined) {
    return { reason: connecting.reason, detail: connecting.detail, remoteCode };
  }
  return {
    reason: reasonOf(error.code),
    detail: printable(`${status[error.code]}: ${error.details}`),
    remoteCode,
  };
}

/** Metadata is ASCII, of one line. */
export function encodeDetail(detail: string): string {
  return encodeURIComponent(printable(detail)).replaceAll('%20', ' ');
}

function decodeDetail(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function reasonOf(code: status): Refusal['reason'] {
  if (code === status.UNAVAILABLE || code === status.CANCELLED) return RPC_REASONS['rpc-unavailable'];
  if (code === status.DEADLINE_EXCEEDED) return RPC_REASONS['rpc-timeout'];
  return RPC_REASONS['rpc-failed'];
}
