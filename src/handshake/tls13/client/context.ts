import type { ClientConfig } from '../../config.ts';
import type { ExtensionName } from '../../extensions/placement.ts';
import type { KeyShare } from '../../key-exchange.ts';
import type { Parameters } from '../../parameters.ts';
import type { SessionDecline } from '../../tickets/decline.ts';
import type { PskOffer } from './psk-offer.ts';

/** What stays the same through a client's handshake. */
export interface ClientContext {
  readonly config: ClientConfig;
  readonly parameters: Parameters;
  readonly serverName: string | undefined;
  readonly random: Uint8Array;
  readonly sessionId: Uint8Array;
  /** Why a session that we had was not offered. */
  readonly declined?: SessionDecline;
}

/** A ClientHello that was sent. */
export interface SentHello {
  /** As they stand in it, at most one a group. */
  readonly keyShares: readonly KeyShare[];
  /** Names of the extensions it carried: only these may be answered. */
  readonly offered: readonly ExtensionName[];
  readonly offer: PskOffer | undefined;
  /** Early data follows it. */
  readonly earlyData: boolean;
}
