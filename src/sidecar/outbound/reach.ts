import { type Reason, TlsError } from '#handshake';
import type { Connection } from '../connection.ts';
import { type End, inPlaintext } from '../forward/end.ts';
import { formatEndpoint } from '../listen/endpoint.ts';
import type { SidecarParts } from '../parts.ts';
import { SIDECAR_REASONS } from '../reason.ts';
import type { Accepted } from './accept.ts';
import { CallTries, isTheirs } from './call-tries.ts';
import { dial } from './dial.ts';
import { type EndpointSet, keyOf } from './endpoint-set.ts';
import { type Found, look, type Route, routeTo } from './route.ts';
import { confirmPlaintext } from './still-plaintext.ts';
import { secure } from './tls.ts';

/** The way to the callee stands: from here on bytes pass, and nothing is tried again. */
export interface Reached {
  readonly route: Route;
  readonly peer: End;
}

/**
 * Steps 2 to 4: looks the destination up, chooses who is called, connects, and secures what isn't plaintext by
 * declaration. What fails is tried again, elsewhere if possible, within `limits.tries`. Throws TlsError.
 */
export async function reach(accepted: Accepted, parts: SidecarParts): Promise<Reached> {
  const { clock, limits, service, telemetry } = parts.config;
  const { connection } = accepted;
  const tries = new CallTries(clock, limits);
  let failure: TlsError | undefined;
  for (;;) {
    const destination = await look(accepted, tries.mistaken);
    const target = targetOf(destination, tries, accepted, parts);
    if (target === undefined) throw tries.sum(failure ?? nobody(destination));
    connection.learned({ peerAddress: formatEndpoint(target.callee.address), tries: tries.count + 1 });
    try {
      const reached = await attempt(target.callee, accepted, parts);
      target.connected();
      connection.onClose((failure) => target.closed(unanswered(connection, failure)));
      return reached;
    } catch (error) {
      const known = error instanceof TlsError && !connection.signal.aborted ? error : undefined;
      target.failed(known);
      if (known === undefined) throw error;
      if (!tries.failed(target.key, target.callee, known)) throw tries.sum(known);
      telemetry.retried(service, known.reason);
      failure = known;
    }
  }
}

/**
 * By what an endpoint is judged that broke the connection off before it had answered anything; undefined: by nothing. In TLS
 * 1.3 a server judges the client last, so a refusal looks like a quick success until then: who refuses fast would else
 * draw calls by it. What was sent is not sent again for that.
 */
function unanswered(connection: Connection, failure: TlsError | undefined): Reason | undefined {
  if (failure === undefined || connection.receivedBytes > 0 || connection.signal.aborted) return undefined;
  // Silence is the application's as well as theirs.
  if (failure.reason === SIDECAR_REASONS['idle-timeout']) return undefined;
  return isTheirs(failure.reason) ? failure.reason : undefined;
}

type Known = Exclude<Found, { kind: 'service' }>;

/** Who is called this time. */
interface Target {
  readonly key: string;
  readonly callee: Known;
  readonly connected: () => void;
  readonly closed: (blamed: Reason | undefined) => void;
  /** Undefined: our side gave up, or met an error of its own. */
  readonly failed: (error: TlsError | undefined) => void;
}

function targetOf(
  destination: Found,
  tries: CallTries,
  accepted: Accepted,
  parts: SidecarParts,
): Target | undefined {
  const next = (): Target | undefined =>
    destination.kind === 'service'
      ? endpointOf(destination.endpoints, tries, accepted, parts)
      : sole(destination, tries);
  return next() ?? (tries.repeat() ? next() : undefined);
}

/** There is no choice, so nothing is remembered of it. */
function sole(callee: Known, { meshedOnly, tried }: CallTries): Target | undefined {
  const key = callee.kind === 'meshed' ? keyOf(callee) : `${callee.kind} ${formatEndpoint(callee.address)}`;
  // The second answer would have the same call go in plaintext whose handshake has failed.
  if (tried.has(key) || (meshedOnly && callee.kind !== 'meshed')) return undefined;
  return { key, callee, connected: () => undefined, closed: () => undefined, failed: () => undefined };
}

function endpointOf(
  set: EndpointSet,
  tries: CallTries,
  { called }: Accepted,
  { balancer }: SidecarParts,
): Target | undefined {
  const begun = balancer.begin(set, tries);
  if (begun === undefined) return undefined;
  const { endpoint, key } = begun;
  return {
    key,
    callee: called.isOwn?.(endpoint.address.host) ? { kind: 'self', address: endpoint.address } : endpoint,
    connected: begun.connected,
    closed: begun.closed,
    failed: (error) => begun.failed(error !== undefined && isTheirs(error.reason) ? error.reason : undefined),
  };
}

async function attempt(callee: Known, accepted: Accepted, parts: SidecarParts): Promise<Reached> {
  const route = routeTo(callee, accepted, parts);
  if (route.kind === 'mesh') {
    return { route, peer: await secure(accepted, await dial(accepted, route, parts), parts) };
  }
  const { socket, end } = await dial(accepted, route, parts);
  try {
    await confirmPlaintext(route, accepted);
  } catch (error) {
    socket.resetAndDestroy();
    throw error;
  }
  return { route, peer: inPlaintext(end, parts.config.capture?.resetOnDeath) };
}

function nobody(destination: Found): TlsError {
  if (destination.kind !== 'service') return new TlsError(SIDECAR_REASONS['no-endpoint']);
  const { service, endpoints, internalTrafficPolicy: policy = 'Cluster' } = destination.endpoints;
  const detail = `${service} has ${endpoints.length} endpoints; its internalTrafficPolicy is ${policy}`;
  return new TlsError(SIDECAR_REASONS['no-endpoint'], detail);
}
