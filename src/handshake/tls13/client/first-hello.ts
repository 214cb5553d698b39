import { parseKeyShares } from '../../parameters.ts';
import type { Port } from '../../port.ts';
import { makeKeyShares, sendClientHello } from './client-hello.ts';
import type { ClientContext } from './context.ts';
import { ExpectServerHello } from './expect-server-hello.ts';
import type { PskOffer } from './psk-offer.ts';

/** RFC 8446 4.1.2, with the keys to offer if there are any. */
export function sendFirstHello(
  context: ClientContext,
  offer: PskOffer | undefined,
  port: Port,
): ExpectServerHello {
  if (offer !== undefined) port.wipeAtEnd(offer);
  const groups = parseKeyShares(context.config.keyShares, context.parameters.groups);
  const sent = sendClientHello(context, makeKeyShares(groups, port), undefined, offer, port);
  return new ExpectServerHello(context, sent);
}
