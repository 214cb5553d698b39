import { TlsError } from '#handshake';
import { formatEndpoint } from '../listen/endpoint.ts';
import { SIDECAR_REASONS } from '../reason.ts';
import type { Accepted } from './accept.ts';
import { type Found, look, type PlaintextRoute } from './route.ts';

/**
 * Asks once more, now that the connection stands and before a byte is sent: connecting takes time, in which who was known
 * to have no sidecar may have got one, or the address may have become another's. Mutual TLS needs no such question, for
 * whoever answers proves who he is. Throws TlsError `destination-changed`, or as `look` does.
 */
export async function confirmPlaintext(route: PlaintextRoute, accepted: Accepted): Promise<void> {
  const now = await look(accepted, false);
  if (answers(now, route, accepted)) return;
  throw new TlsError(
    SIDECAR_REASONS['destination-changed'],
    `${formatEndpoint(route.address)} was ${route.to}`,
  );
}

function answers(now: Found, { to, address }: PlaintextRoute, { called }: Accepted): boolean {
  const isSame = (other: typeof address): boolean =>
    other.host === address.host && other.port === address.port;
  if (now.kind !== 'service') {
    return now.kind !== 'meshed' && isSame(now.address) && (now.kind === 'self') === (to === 'self');
  }
  const found = now.endpoints.endpoints.find((endpoint) => isSame(endpoint.address));
  const own = called.isOwn?.(address.host) ?? false;
  return found !== undefined && (to === 'self' ? own : found.kind === 'unmeshed' && !own);
}
