import { earliestNotAfter } from '../../credentials/signer.ts';
import type { ClientConfig } from '../../config.ts';
import type { Secret } from '../../crypto/secret.ts';
import { TLS13 } from '../../extensions/supported-versions.ts';
import type { NewSessionTicket } from '../../messages/new-session-ticket.ts';
import type { Parameters } from '../../parameters.ts';
import type { Port } from '../../port.ts';
import { type SuiteName, SUITES } from '../../suites.ts';
import type { ClientSessions } from '../../tickets/options.ts';
import type { ClientSession } from '../../tickets/session-cache.ts';
import { Deriver } from '../key-schedule.ts';
import type { ProvenPeer } from '../proven-peer.ts';

/**
 * All that must be the same for a session to serve again: whom we are, whom we expect, where, under which names and
 * protocols, by which trust.
 */
export function sessionKey(
  sessions: ClientSessions,
  serverName: string | undefined,
  alpn: readonly string[],
): string {
  const { identity, expected, destination, binding } = sessions;
  return JSON.stringify([identity, [...expected].sort(), destination, serverName ?? '', alpn, binding]);
}

/** Takes a session that this configuration may offer. It is gone from the cache then, used or not. */
export function takeSession(
  config: ClientConfig,
  parameters: Parameters,
  serverName: string | undefined,
): ClientSession | undefined {
  const { sessions } = config;
  if (sessions === undefined) return undefined;
  const session = sessions.cache.take(sessionKey(sessions, serverName, parameters.alpn));
  if (session === undefined) return undefined;
  if (session.version === TLS13 && parameters.suites.includes(session.suite)) return session;
  session.secret.wipe();
  return undefined;
}

/** What a client needs to know of an established connection to keep its tickets. */
export interface TicketBasis {
  readonly key: string;
  readonly suite: SuiteName;
  readonly alpn: string | undefined;
  readonly peer: ProvenPeer;
  readonly chain: readonly Uint8Array[];
  readonly resumption: Secret;
  /** The session that this connection went on with. */
  readonly earlier: ClientSession | undefined;
}

/** RFC 8446 4.6.1, the client's side: turns tickets into sessions. */
export class TicketKeeper {
  readonly #config: ClientConfig;
  readonly #basis: TicketBasis;
  readonly #authenticatedAt: number;

  constructor(config: ClientConfig, basis: TicketBasis) {
    this.#config = config;
    this.#basis = basis;
    this.#authenticatedAt = basis.earlier?.authenticatedAt ?? config.sessions!.cache.clock.now();
  }

  keep(message: NewSessionTicket, port: Port): void {
    // "A value of zero indicates that the ticket should be discarded immediately."
    if (message.lifetimeSeconds === 0) return;
    const { cache } = this.#config.sessions!;
    const { key, suite, alpn, peer, chain, resumption, earlier } = this.#basis;
    const lifetime = message.lifetimeSeconds * 1000;
    const receivedAt = cache.clock.monotonic();
    cache.put(key, {
      version: TLS13,
      ticket: message.ticket,
      secret: new Deriver(port.crypto, SUITES[suite]).ticketPsk(resumption, message.nonce),
      suite,
      ageAdd: message.ageAdd,
      alpn,
      chain,
      authenticatedAt: this.#authenticatedAt,
      expiresAt: Math.min(
        earlier?.expiresAt ?? Number.POSITIVE_INFINITY,
        cache.clock.now() + lifetime,
        peer.peer.notAfter,
        earliestNotAfter(this.#config.credential, Number.POSITIVE_INFINITY),
      ),
      receivedAt,
      endsAt: receivedAt + lifetime,
      earlyDataLimit: message.earlyDataLimit,
    });
  }

  wipe(): void {
    this.#basis.resumption.wipe();
  }
}
