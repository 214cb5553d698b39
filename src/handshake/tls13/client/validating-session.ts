import { type Pending, pause } from '../../pending.ts';
import type { Port } from '../../port.ts';
import type { ClientNext, ClientState } from '../../states.ts';
import type { ClientSession } from '../../tickets/session-cache.ts';
import { acceptVerdict } from '../../verify/verdict.ts';
import type { ClientContext } from './context.ts';
import { sendFirstHello } from './first-hello.ts';
import { PskOffer } from './psk-offer.ts';

/**
 * Waits for the verifier's word of today about a server of then, before anything is sent: afterwards it would be too
 * late to do without the session, and early data would be gone.
 */
export class ValidatingSession implements ClientState<'ValidatingSession'> {
  readonly name = 'ValidatingSession';
  readonly pending: Pending<ClientNext<'ValidatingSession'>>;

  constructor(context: ClientContext, session: ClientSession, port: Port) {
    const { config } = context;
    port.wipeAtEnd(session.secret);
    this.pending = pause(
      'validate-chain',
      'verifier-failed',
      port,
      () => config.verifier.verify({ role: 'server', chain: session.chain }),
      (verdict, resumed) => {
        if (verdict.ok) {
          const chain = acceptVerdict(verdict);
          return sendFirstHello(context, PskOffer.ofSession({ session, chain }, config), resumed);
        }
        // The server may have a better certificate by now: a full handshake will show it.
        session.secret.wipe();
        return sendFirstHello({ ...context, declined: 'peer-refused' }, undefined, resumed);
      },
    );
  }
}
