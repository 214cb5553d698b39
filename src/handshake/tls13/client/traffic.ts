import type { DecodableName, Received } from '../../messages/message.ts';
import type { KeyUpdate } from '../../messages/key-update.ts';
import type { NewSessionTicket } from '../../messages/new-session-ticket.ts';
import { MAX_TICKETS } from '../../limits.ts';
import type { Port } from '../../port.ts';
import { fail } from '../../reasons.ts';
import type { ClientNext, ClientState } from '../../states.ts';
import type { Suite } from '../../suites.ts';
import type { ApplicationKeys } from '../handshake-keys.ts';
import { TrafficKeys } from '../key-update.ts';
import type { TicketKeeper } from './session.ts';

/** After the handshake: tickets and key updates. */
export class ClientTraffic implements ClientState<'Traffic'> {
  readonly name = 'Traffic';
  readonly keys: TrafficKeys;
  readonly #keeper: TicketKeeper | undefined;
  #tickets = 0;

  constructor(suite: Suite, application: ApplicationKeys, keeper: TicketKeeper | undefined) {
    this.#keeper = keeper;
    this.keys = new TrafficKeys(suite, application.serverSecret, application.clientSecret);
  }

  handle(
    message: Received<'new_session_ticket' | 'key_update' | 'certificate_request'>,
    port: Port,
  ): ClientNext<'Traffic'> {
    const name: DecodableName = message.name;
    if (name === 'key_update') this.keys.receive(message.body as KeyUpdate, port);
    else if (name === 'new_session_ticket') this.#ticket(message.body as NewSessionTicket, port);
    // RFC 8446 4.6.2: a client that did not offer post_handshake_auth answers with unexpected_message.
    else fail('post-handshake-authentication');
    return this;
  }

  /** RFC 8446 4.6.1. */
  #ticket(ticket: NewSessionTicket, port: Port): void {
    this.#tickets += 1;
    if (this.#tickets > MAX_TICKETS) fail('too-many-tickets', `more than ${MAX_TICKETS}`);
    this.#keeper?.keep(ticket, port);
  }
}
