import type { Received } from '../../messages/message.ts';
import type { Port } from '../../port.ts';
import type { ServerNext, ServerState } from '../../states.ts';
import type { Suite } from '../../suites.ts';
import type { ApplicationKeys } from '../handshake-keys.ts';
import { TrafficKeys } from '../key-update.ts';
import type { TicketIssuer } from './ticket-issuer.ts';

/** After the handshake: key updates come, tickets go. */
export class ServerTraffic implements ServerState<'Traffic'> {
  readonly name = 'Traffic';
  readonly keys: TrafficKeys;
  readonly #tickets: TicketIssuer | undefined;

  constructor(suite: Suite, application: ApplicationKeys, tickets: TicketIssuer | undefined) {
    this.keys = new TrafficKeys(suite, application.clientSecret, application.serverSecret);
    this.#tickets = tickets;
  }

  handle(message: Received<'key_update'>, port: Port): ServerNext<'Traffic'> {
    this.keys.receive(message.body, port);
    return this;
  }

  /** Returns how many were sent; 0 for a client that can't use them. */
  issueTickets(count: number, port: Port): number {
    return this.#tickets?.issue(count, port) ?? 0;
  }
}
