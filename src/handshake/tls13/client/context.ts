import type { ClientConfig } from '../../config.ts';
import type { KeyExchange } from '../../crypto/provider.ts';
import type { ExtensionName } from '../../extensions/placement.ts';
import type { Parameters } from '../../parameters.ts';

/** What stays the same through a client's handshake. */
export interface ClientContext {
  readonly config: ClientConfig;
  readonly parameters: Parameters;
  readonly serverName: string | undefined;
  readonly random: Uint8Array;
  readonly sessionId: Uint8Array;
}

/** A ClientHello that was sent. */
export interface SentHello {
  readonly keyExchange: KeyExchange;
  /** Names of the extensions it carried: only these may be answered. */
  readonly offered: readonly ExtensionName[];
}
