import type { SessionEvent } from '../../events.ts';
import { type Pending, pause } from '../../pending.ts';
import type { Port, SessionUse } from '../../port.ts';
import type { ServerNext, ServerState } from '../../states.ts';
import { SUITES } from '../../suites.ts';
import type { EarlyDataDecline, SessionDecline } from '../../tickets/decline.ts';
import { acceptVerdict } from '../../verify/verdict.ts';
import { EarlyStage } from '../key-schedule.ts';
import { type ProvenPeer, resumePeer } from '../proven-peer.ts';
import type { Choice, ServerContext } from './context.ts';
import { ExpectEndOfEarlyData } from './expect-end-of-early-data.ts';
import { ExpectFinished } from './expect-finished.ts';
import { type AcceptedPsk, choosePsk } from './offered-psk.ts';
import { sendEncryptedExtensions, sendFinished, sendServerFlight, sendServerHello } from './server-flight.ts';

/** Where an answer leads. Early data comes only after a first ClientHello. */
type Answered =
  | ReturnType<typeof sendServerFlight>
  | ValidatingSession
  | ExpectEndOfEarlyData
  | ExpectFinished;

/** What answers a ClientHello, in the order of the handshake: the choice, the message, and whether it is the second. */
export interface Answering {
  readonly context: ServerContext;
  readonly choice: Choice;
  readonly helloRetry: boolean;
}

/**
 * RFC 8446 2: by a key of the client's offer, if there is one to use, or else by certificates. `message` is the
 * ClientHello with its header; the transcript gets it here, after the binders were checked.
 */
export function answerClientHello(answering: Answering, message: Uint8Array, port: Port): Answered {
  const { context, choice } = answering;
  const accepted = choosePsk(context, choice, message, port);
  port.transcript.add(message);
  if (!answering.helloRetry) port.transcript.start(SUITES[choice.suite].hash);
  if (accepted === undefined || typeof accepted === 'string') return sendFull(answering, accepted, port);
  const { session } = accepted;
  if (session === undefined || session.chain.length === 0) {
    return sendResumedFlight(answering, accepted, undefined, port);
  }
  return new ValidatingSession(answering, accepted, session.chain, port);
}

/** Waits for the verifier's word of today about the certificates of then. */
class ValidatingSession implements ServerState<'ValidatingSession'> {
  readonly name = 'ValidatingSession';
  readonly pending: Pending<ServerNext<'ValidatingSession'>>;

  constructor(answering: Answering, accepted: AcceptedPsk, chain: readonly Uint8Array[], port: Port) {
    const { clientAuthentication } = answering.context.config;
    if (clientAuthentication.mode !== 'request')
      throw new Error('a session with a client chain, and no verifier');
    const { verifier } = clientAuthentication;
    this.pending = pause(
      'validate-chain',
      'verifier-failed',
      port,
      () => verifier.verify({ role: 'client', chain }),
      (verdict, resumed) => {
        // Not the end: the client may have a better certificate by now, and a full handshake asks for it.
        if (!verdict.ok) return sendFull(answering, 'peer-refused', resumed);
        const peer = resumePeer(acceptVerdict(verdict), accepted.binders);
        resumed.emit({ type: 'peer-verified', peer: peer.peer, scheme: undefined });
        return sendResumedFlight(answering, accepted, peer, resumed);
      },
    );
  }
}

function sendFull(
  { context, choice, helloRetry }: Answering,
  declined: SessionDecline | undefined,
  port: Port,
): ReturnType<typeof sendServerFlight> {
  const earlyDeclined = choice.hello.offersEarlyData ? 'no-session' : undefined;
  const use: SessionUse = {
    kind: 'full',
    authenticatedAt: undefined,
    earlyData: earlyDeclined === undefined ? 'none' : 'rejected',
  };
  const told: SessionEvent = { type: 'session', use, declined, earlyDeclined };
  return sendServerFlight(context, choice, told, helloRetry, port);
}

/** ServerHello with pre_shared_key, EncryptedExtensions, Finished: nothing is signed, nothing is asked for. */
function sendResumedFlight(
  answering: Answering,
  accepted: AcceptedPsk,
  peer: ProvenPeer | undefined,
  port: Port,
): ExpectFinished | ExpectEndOfEarlyData {
  const { context, choice, helloRetry } = answering;
  const { hello } = choice;
  const { session, psk } = accepted;
  const earlyDeclined = hello.offersEarlyData ? declineEarlyData(answering, accepted) : 'not-asked';
  const takesEarlyData = earlyDeclined === undefined;
  const suite = SUITES[choice.suite];
  const schedule = new EarlyStage(port.crypto, suite, psk.secret);
  psk.secret.wipe();
  const earlySecret = takesEarlyData ? schedule.clientTraffic(port.transcript.value()) : undefined;
  if (earlySecret !== undefined) {
    port.wipeAtEnd(earlySecret);
    port.logSecret('CLIENT_EARLY_TRAFFIC_SECRET', hello.random, earlySecret);
    port.keepEarlyExporter(suite, schedule.exporter(port.transcript.value()));
  }
  const early = earlyDeclined === 'not-asked' ? 'none' : takesEarlyData ? 'accepted' : 'rejected';
  const use: SessionUse = {
    kind: session === undefined ? 'external' : 'resumed',
    authenticatedAt: session?.authenticatedAt,
    earlyData: early,
  };
  const keys = sendServerHello(choice, helloRetry, port, { schedule, index: accepted.index, earlySecret });
  const told: SessionEvent = {
    type: 'session',
    use,
    declined: undefined,
    earlyDeclined: earlyDeclined === 'not-asked' ? undefined : earlyDeclined,
  };
  sendEncryptedExtensions(choice, told, port);
  const progress = sendFinished({ context, choice, use, session }, keys, port);
  if (!takesEarlyData) {
    if (hello.offersEarlyData && !helloRetry) port.earlyInput.skip('skipping-undecryptable');
    return new ExpectFinished(progress, peer, session?.chain);
  }
  port.earlyInput.take(session!.earlyDataLimit);
  // No half-RTT data where a certificate was asked for: its owner is only known to be there by its Finished.
  if (context.config.clientAuthentication.mode === 'none') port.earlyOutput.open(Number.MAX_SAFE_INTEGER);
  return new ExpectEndOfEarlyData(progress, peer, session!.chain);
}

/** RFC 8446 4.2.10: all that must hold for early data to be taken; the ticket's one use is taken last. */
function declineEarlyData(answering: Answering, accepted: AcceptedPsk): EarlyDataDecline | undefined {
  const { context, choice, helloRetry } = answering;
  const { sessions } = context.config;
  const { session } = accepted;
  if (helloRetry) return 'retry';
  // "the PSK selected MUST be the first": the client encrypted under that one.
  if (accepted.index !== 0) return 'not-first';
  if (sessions?.earlyData === undefined || session === undefined) return 'not-enabled';
  // What the ticket promised counts, and what is allowed today if that is less.
  if (session.earlyDataLimit === 0 || session.earlyDataLimit > sessions.earlyData.maxBytes)
    return 'not-enabled';
  // Version and ALPN were compared already; the cipher suite must be the very same, not only its hash.
  if (session.suite !== choice.suite) return 'not-enabled';
  return sessions.worker.useForEarlyData(session, accepted.obfuscatedAge);
}
