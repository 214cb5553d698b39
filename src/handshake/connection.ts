import { Connection } from './base-connection.ts';
import type { ClientConfig, ServerConfig } from './config.ts';
import type { Observer } from './events.ts';
import { MOST_TICKETS_AT_ONCE } from './tickets/session-parameters.ts';
import { startClient } from './tls13/client/start.ts';
import { startServer } from './tls13/server/start.ts';
import type { VerifiedPeer } from './verify/peer-verifier.ts';

/** The client's end: its first flight is in `takeOutput` at once, or after the first `pending` if it has a session to offer. */
export class ClientConnection<Peer extends VerifiedPeer = VerifiedPeer> extends Connection<Peer> {
  constructor(config: ClientConfig<Peer>, observer: Observer) {
    super('client', config, observer, (port) => startClient(config, port));
  }

  /**
   * How many bytes `writeEarly` would take now: 0 unless a session with early data was offered, and until the server
   * has answered. Whether the server takes them is in `session` once `established`; if not, they are not resent.
   */
  get earlyDataLimit(): number {
    return this.earlyDataRoom;
  }

  /** Sends early data: it can be replayed by whoever records it, so only what may be executed twice belongs there. */
  writeEarly(plaintext: Uint8Array): void {
    if (plaintext.length > this.earlyDataRoom) throw new Error('writeEarly: more than earlyDataLimit');
    if (plaintext.length > 0) this.sendEarlyData(plaintext);
  }
}

/** The server's end. */
export class ServerConnection<Peer extends VerifiedPeer = VerifiedPeer> extends Connection<Peer> {
  constructor(config: ServerConfig<Peer>, observer: Observer) {
    super('server', config, observer, () => startServer(config));
  }

  /**
   * Sends up to `count` session tickets, and returns how many: none before `established`, without sessions, or to a
   * client that can't use them.
   */
  issueTickets(count: number): number {
    if (!Number.isInteger(count) || count < 1 || count > MOST_TICKETS_AT_ONCE) {
      throw new Error(`issueTickets: want 1 to ${MOST_TICKETS_AT_ONCE}`);
    }
    return this.sendTickets(count);
  }
}
