import type { Received } from '../../messages/message.ts';
import type { Port } from '../../port.ts';
import type { ServerNext, ServerState } from '../../states.ts';
import type { Suite } from '../../suites.ts';
import type { ApplicationKeys } from '../handshake-keys.ts';
import { TrafficKeys } from '../key-update.ts';

/** After the handshake: key updates only. */
export class ServerTraffic implements ServerState<'Traffic'> {
  readonly name = 'Traffic';
  readonly keys: TrafficKeys;

  constructor(suite: Suite, application: ApplicationKeys) {
    this.keys = new TrafficKeys(suite, application.clientSecret, application.serverSecret);
  }

  handle(message: Received<'key_update'>, port: Port): ServerNext<'Traffic'> {
    this.keys.receive(message.body, port);
    return this;
  }
}
