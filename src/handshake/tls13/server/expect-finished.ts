import { PSK_DHE_KE } from '../../extensions/psk-key-exchange-modes.ts';
import type { Received } from '../../messages/message.ts';
import type { Port } from '../../port.ts';
import type { ServerNext, ServerState } from '../../states.ts';
import { checkFinished, type FinishedVerified } from '../finished.ts';
import type { ProvenPeer } from '../proven-peer.ts';
import type { ServerProgress } from './server-flight.ts';
import { TicketIssuer } from './ticket-issuer.ts';
import { ServerTraffic } from './traffic.ts';

/** RFC 8446 4.4.4. `peer` is undefined only where no certificate was asked for or none was required. */
export class ExpectFinished implements ServerState<'ExpectFinished'> {
  readonly name = 'ExpectFinished';
  readonly #progress: ServerProgress;
  readonly #peer: ProvenPeer | undefined;
  readonly #chain: readonly Uint8Array[];

  /** `chain`: what the peer proved itself with, now or then. */
  constructor(progress: ServerProgress, peer: ProvenPeer | undefined, chain: readonly Uint8Array[] = []) {
    this.#progress = progress;
    this.#peer = peer;
    this.#chain = chain;
  }

  handle(message: Received<'finished'>, port: Port): ServerNext<'ExpectFinished'> {
    const { keys } = this.#progress;
    const hash = port.transcript.value();
    const finished = checkFinished(port.crypto, keys.suite, keys.clientSecret, hash, message.body);
    port.transcript.add(message.raw);
    const tickets = this.#issuer(port);
    return beginTraffic(this.#progress, this.#peer, tickets, finished, port);
  }

  /** Undefined without sessions, for a client that could not use a ticket, and for a key from outside. */
  #issuer(port: Port): TicketIssuer | undefined {
    const { context, choice, master, use } = this.#progress;
    const { sessions } = context.config;
    const wanted = use.kind !== 'external' && choice.hello.pskModes?.includes(PSK_DHE_KE) === true;
    const resumption = wanted && sessions ? master.resumption(port.transcript.value()) : undefined;
    master.wipe();
    if (resumption === undefined) return undefined;
    const issuer = new TicketIssuer(sessions!, this.#progress, this.#peer, this.#chain, resumption, port);
    port.wipeAtEnd(issuer);
    return issuer;
  }
}

const AUTOMATIC_TICKETS = 2;

/** Needs the evidence of the client's Finished: no path to application data, nor to a ticket, goes around it. */
function beginTraffic(
  progress: ServerProgress,
  peer: ProvenPeer | undefined,
  tickets: TicketIssuer | undefined,
  _finished: FinishedVerified,
  port: Port,
): ServerTraffic {
  const { keys, application, choice, use, context } = progress;
  keys.clientSecret.wipe();
  port.changeReadKeys(keys.suite, application.clientSecret, port.requireAligned());
  port.establish({
    suite: keys.suite,
    peer: peer?.peer,
    alpn: choice.alpn,
    exporterSecret: application.exporterSecret,
    session: use,
  });
  const traffic = new ServerTraffic(keys.suite, application, tickets);
  traffic.issueTickets(context.config.sessions?.automaticTickets ?? AUTOMATIC_TICKETS, port);
  return traffic;
}
