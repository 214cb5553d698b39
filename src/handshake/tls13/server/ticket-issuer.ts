import { earliestNotAfter } from '../../credentials/signer.ts';
import type { Secret } from '../../crypto/secret.ts';
import { TLS13 } from '../../extensions/supported-versions.ts';
import { encodeNewSessionTicket } from '../../messages/new-session-ticket.ts';
import type { Port } from '../../port.ts';
import { SUITES } from '../../suites.ts';
import { SESSION_LIFETIME_MILLISECONDS, type ServerSessions } from '../../tickets/options.ts';
import type { NewSessionState } from '../../tickets/ticket-worker.ts';
import { u32 } from '../../wire/writer.ts';
import { Deriver } from '../key-schedule.ts';
import type { ProvenPeer } from '../proven-peer.ts';
import { demandOf } from './offered-psk.ts';
import type { ServerProgress } from './server-flight.ts';

/** RFC 8446 4.6.1: makes tickets of an established connection, each with a key of its own. */
export class TicketIssuer {
  readonly #sessions: ServerSessions;
  readonly #session: Omit<NewSessionState, 'secret'>;
  readonly #deriver: Deriver;
  readonly #resumption: Secret;
  #issued = 0;

  constructor(
    sessions: ServerSessions,
    progress: ServerProgress,
    peer: ProvenPeer | undefined,
    chain: readonly Uint8Array[],
    resumption: Secret,
    port: Port,
  ) {
    const { choice, context, session: earlier } = progress;
    const { credential, clientAuthentication } = context.config;
    this.#sessions = sessions;
    this.#deriver = new Deriver(port.crypto, SUITES[choice.suite]);
    this.#resumption = resumption;
    const authenticatedAt = earlier?.authenticatedAt ?? sessions.worker.clock.now();
    this.#session = {
      version: TLS13,
      suite: choice.suite,
      alpn: choice.alpn,
      serverName: choice.hello.serverName,
      identity: sessions.identity,
      binding: sessions.binding,
      demand: demandOf(clientAuthentication),
      chain,
      authenticatedAt,
      // Resuming never makes a session live longer: its successors end when it would have, at the latest.
      expiresAt: Math.min(
        earlier?.expiresAt ?? Number.POSITIVE_INFINITY,
        authenticatedAt + (sessions.lifetimeMilliseconds ?? SESSION_LIFETIME_MILLISECONDS),
        earliestNotAfter(credential, Number.NEGATIVE_INFINITY),
        peer?.peer.notAfter ?? Number.POSITIVE_INFINITY,
      ),
      earlyDataLimit: sessions.earlyData?.maxBytes ?? 0,
    };
  }

  /** Returns how many were sent: none of a session that has ended, or that is too large for a ticket. */
  issue(count: number, port: Port): number {
    let sent = 0;
    for (; sent < count; sent += 1) {
      // "a per-ticket value that is unique across all tickets issued on this connection".
      const nonce = u32(this.#issued);
      this.#issued += 1;
      const secret = this.#deriver.ticketPsk(this.#resumption, nonce);
      const minted = this.#sessions.worker.mint({ ...this.#session, secret: secret.expose() });
      secret.wipe();
      if (minted === undefined) return sent;
      const { earlyDataLimit } = this.#session;
      port.sendAfterHandshake(
        'new_session_ticket',
        encodeNewSessionTicket({ ...minted, nonce, earlyDataLimit }),
      );
    }
    return sent;
  }

  wipe(): void {
    this.#resumption.wipe();
  }
}
