import { equal } from '#runtime';
import type { ClientAuthentication, ServerConfig } from '../../config.ts';
import { Secret } from '../../crypto/secret.ts';
import { PSK_DHE_KE } from '../../extensions/psk-key-exchange-modes.ts';
import { TLS13 } from '../../extensions/supported-versions.ts';
import { MAX_OFFERED_PSKS } from '../../limits.ts';
import type { OfferedPsks, PskIdentity } from '../../extensions/pre-shared-key.ts';
import type { Port } from '../../port.ts';
import { SUITES } from '../../suites.ts';
import type { SessionDecline } from '../../tickets/decline.ts';
import { importPsk } from '../../tickets/external-psk.ts';
import type { ServerSessions } from '../../tickets/options.ts';
import type { Demand, SessionState } from '../../tickets/session-state.ts';
import type { VerifiedPeer } from '../../verify/peer-verifier.ts';
import { type BindersVerified, checkBinder, type Psk } from '../psk.ts';
import type { Choice, ServerContext } from './context.ts';

/** A key of the client's offer that this server knows and may use, and that the client proved to know too. */
export interface AcceptedPsk {
  /** Its place in the offer. */
  readonly index: number;
  readonly obfuscatedAge: number;
  readonly psk: Psk;
  /** Undefined: a key from outside. */
  readonly session: SessionState | undefined;
  readonly binders: BindersVerified;
}

type Known = Pick<AcceptedPsk, 'psk' | 'session'>;

/**
 * RFC 8446 4.2.11: the first key of the offer that may be used here and now. What can't be used is passed over, so that
 * the handshake becomes a full one; a wrong binder ends it. `message` is the ClientHello with its header, which the
 * transcript does not have yet.
 */
export function choosePsk(
  context: ServerContext,
  choice: Choice,
  message: Uint8Array,
  port: Port,
): AcceptedPsk | SessionDecline | undefined {
  const { offeredPsks, pskModes } = choice.hello;
  const { sessions, externalPsks = [] } = context.config;
  if (offeredPsks === undefined || (sessions === undefined && externalPsks.length === 0)) return undefined;
  if (pskModes?.includes(PSK_DHE_KE) !== true) return 'no-dhe-mode';
  let declined: SessionDecline = 'unknown-ticket';
  for (const [index, identity] of offeredPsks.identities.slice(0, MAX_OFFERED_PSKS).entries()) {
    const known = findExternal(context.config, choice, identity) ?? findSession(context, choice, identity);
    if (typeof known === 'string') {
      // The most telling: of the first one that was a ticket of ours at all.
      if (declined === 'unknown-ticket') declined = known;
      continue;
    }
    port.wipeAtEnd(known.psk.secret);
    const binders = check(known.psk, offeredPsks, index, message, port);
    return { index, obfuscatedAge: identity.obfuscatedAge, ...known, binders };
  }
  return declined;
}

function check(
  psk: Psk,
  offered: OfferedPsks,
  index: number,
  message: Uint8Array,
  port: Port,
): BindersVerified {
  const truncated = message.subarray(0, message.length - offered.bindersLength);
  return checkBinder(port.crypto, psk, port.transcript, truncated, offered.binders[index]!);
}

/** RFC 9258: the imported key of this name for the hash of the chosen suite. */
function findExternal(config: ServerConfig, choice: Choice, { identity }: PskIdentity): Known | undefined {
  const { hash } = SUITES[choice.suite];
  for (const external of config.externalPsks ?? []) {
    for (const imported of importPsk(config.crypto, external)) {
      if (imported.suite.hash === hash && equal(imported.identity, identity)) {
        const psk = { kind: 'imported', secret: imported.secret, suite: imported.suite } as const;
        return { psk, session: undefined };
      }
      imported.secret.wipe();
    }
  }
  return undefined;
}

function findSession(
  context: ServerContext,
  choice: Choice,
  { identity }: PskIdentity,
): Known | SessionDecline {
  const { sessions, clientAuthentication } = context.config;
  const session = sessions?.worker.open(identity);
  if (sessions === undefined || session === undefined) return 'unknown-ticket';
  const declined = compare(session, sessions, choice, demandOf(clientAuthentication));
  if (declined !== undefined) {
    session.secret.fill(0);
    return declined;
  }
  const psk = {
    kind: 'resumption',
    secret: new Secret(session.secret),
    suite: SUITES[session.suite],
  } as const;
  return { psk, session };
}

/** Everything that the session was bound to must be what it was (CVE-2022-21654, CVE-2025-68121). */
function compare(
  session: SessionState,
  sessions: ServerSessions,
  { suite, alpn, hello }: Choice,
  demand: Demand,
): SessionDecline | undefined {
  const now = sessions.worker.clock.now();
  if (session.version !== TLS13) return 'other-version';
  // A ticket from the future: the wall clock was turned back, so nothing can be said about its age.
  if (now >= session.expiresAt || now < session.createdAt) return 'expired';
  if (SUITES[session.suite].hash !== SUITES[suite].hash) return 'other-suite';
  if (session.alpn !== alpn) return 'other-alpn';
  if (session.serverName !== hello.serverName) return 'other-server-name';
  if (session.identity !== sessions.identity) return 'other-identity';
  if (session.binding !== sessions.binding) return 'other-binding';
  if (session.demand !== demand) return 'other-demand';
  if (demand === 'certificate' && session.chain.length === 0) return 'other-demand';
  return undefined;
}

export function demandOf(authentication: ClientAuthentication<VerifiedPeer>): Demand {
  if (authentication.mode === 'none') return 'nothing';
  return authentication.required ? 'certificate' : 'certificate-if-any';
}
