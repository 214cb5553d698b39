import { EMPTY } from '#runtime';
import type { Selected } from '../../credentials/select.ts';
import type { Secret } from '../../crypto/secret.ts';
import { encodeExtensions } from '../../extensions/extensions.ts';
import { encodeServerShare } from '../../extensions/key-share.ts';
import { encodeSelectedIdentity } from '../../extensions/pre-shared-key.ts';
import { TLS13 } from '../../extensions/supported-versions.ts';
import { GROUPS } from '../../groups.ts';
import { answerKeyShare } from '../../key-exchange.ts';
import type { SessionEvent } from '../../events.ts';
import { encodeCertificate } from '../../messages/certificate.ts';
import { type CertificateRequest, encodeCertificateRequest } from '../../messages/certificate-request.ts';
import { encodeCertificateVerify } from '../../messages/certificate-verify.ts';
import { encodeEncryptedExtensions } from '../../messages/encrypted-extensions.ts';
import { encodeServerHello } from '../../messages/server-hello.ts';
import { type Pending, pause } from '../../pending.ts';
import type { Port, SessionUse } from '../../port.ts';
import { fail } from '../../reasons.ts';
import type { HandshakeAligned } from '../../record/joiner.ts';
import { schemeIds, SCHEMES } from '../../schemes.ts';
import type { ServerNext, ServerState } from '../../states.ts';
import { SUITES } from '../../suites.ts';
import type { SessionState } from '../../tickets/session-state.ts';
import { signedContent } from '../certificate-verify.ts';
import { verifyData } from '../finished.ts';
import type { ApplicationKeys, HandshakeKeys } from '../handshake-keys.ts';
import { EarlyStage, type MasterStage } from '../key-schedule.ts';
import { u16 } from '../../wire/writer.ts';
import { requireCredential } from './choose.ts';
import type { Choice, ServerContext } from './context.ts';
import { ExpectCertificate } from './expect-certificate.ts';
import { ExpectFinished } from './expect-finished.ts';

/** What the rest of a server's handshake needs once its own flight is out. */
export interface ServerProgress {
  readonly context: ServerContext;
  readonly choice: Choice;
  readonly keys: HandshakeKeys;
  readonly application: ApplicationKeys;
  /** For the resumption secret, once the client's Finished is there. */
  readonly master: MasterStage;
  readonly use: SessionUse;
  /** The session that this one goes on with. */
  readonly session: SessionState | undefined;
}

/** What `sendFinished` adds the keys to. */
type Begun = Pick<ServerProgress, 'context' | 'choice' | 'use' | 'session'>;

/** RFC 8446 2: ServerHello, EncryptedExtensions, CertificateRequest, Certificate, and a pause for the signature. */
export function sendServerFlight(
  context: ServerContext,
  choice: Choice,
  told: SessionEvent,
  helloRetry: boolean,
  port: Port,
): Signing {
  const selected = requireCredential(choice.hello, context);
  const keys = sendServerHello(choice, helloRetry, port);
  sendEncryptedExtensions(choice, told, port);
  if (context.config.clientAuthentication.mode === 'request') {
    port.send('certificate_request', encodeCertificateRequest(certificateRequest(context)));
  }
  const { chain, ocspResponse } = selected.credential;
  const status = choice.hello.wantsStatus ? ocspResponse : undefined;
  port.send('certificate', encodeCertificate(EMPTY, chain, status));
  if (choice.hello.offersEarlyData && !helloRetry) port.earlyInput.skip('skipping-undecryptable');
  return new Signing({ context, choice, use: told.use, session: undefined }, selected, keys, port);
}

/** RFC 8446 4.3.1. */
export function sendEncryptedExtensions(choice: Choice, told: SessionEvent, port: Port): void {
  const { alpn, recordSize } = choice;
  // RFC 8449 4: the limit holds for protected records, so from here on.
  if (recordSize !== undefined) port.limitRecords(recordSize.limit, recordSize.receiveLimit);
  // RFC 6066 3: "When resuming a session, the server MUST NOT include a server_name extension in the server hello."
  const acknowledgesServerName = choice.hello.serverName !== undefined && told.use.kind !== 'resumed';
  const acceptsEarlyData = told.use.earlyData === 'accepted';
  const encrypted = { alpn, acknowledgesServerName, recordSize: recordSize?.answer, acceptsEarlyData };
  port.send('encrypted_extensions', encodeEncryptedExtensions(encrypted));
  port.emit({ type: 'alpn', protocol: alpn });
  port.emit(told);
}

/** The key of the client's offer that was chosen, and the schedule that began with it. */
interface ChosenPsk {
  readonly schedule: EarlyStage;
  readonly index: number;
  /** Set if early data is taken: what is received comes under this first. */
  readonly earlySecret: Secret | undefined;
}

/** RFC 8446 4.3.2. */
function certificateRequest({ config, parameters }: ServerContext): Omit<CertificateRequest, 'context'> {
  return {
    schemes: schemeIds(parameters.schemes),
    certificateSchemes: schemeIds(parameters.certificateSchemes),
    authorities: config.certificateAuthorities,
    wantsStatus: config.requestOcspResponse ?? false,
  };
}

/** RFC 8446 4.1.3. */
export function sendServerHello(
  choice: Choice,
  helloRetry: boolean,
  port: Port,
  psk?: ChosenPsk,
): HandshakeKeys {
  const { hello, group } = choice;
  const aligned = port.requireAligned();
  const share = hello.keyShares!.find((entry) => entry.group === GROUPS[group].id)!;
  const answer = port.measure('key-exchange', () => answerKeyShare(port.crypto, group, share.keyExchange));
  if (!answer.ok) fail(answer.error, group);
  const random = port.crypto.randomBytes(32);
  const body = encodeServerHello({
    random,
    sessionId: hello.sessionId,
    suite: SUITES[choice.suite].id,
    extensions: encodeExtensions([
      ['supported_versions', u16(TLS13)],
      ['key_share', encodeServerShare({ group: GROUPS[group].id, keyExchange: answer.value.share })],
      ['pre_shared_key', psk && encodeSelectedIdentity(psk.index)],
    ]),
  });
  port.emit({ type: 'server-hello', random, suite: choice.suite, group, helloRetry });
  port.send('server_hello', body);
  // RFC 8446 D.4: only for clients that asked for compatibility by sending a session ID; once a connection.
  if (hello.sessionId.length > 0) port.sendChangeCipherSpec();
  return deriveKeys(choice, answer.value.secret, aligned, port, psk);
}

function deriveKeys(
  choice: Choice,
  shared: Secret,
  aligned: HandshakeAligned,
  port: Port,
  psk: ChosenPsk | undefined,
): HandshakeKeys {
  const suite = SUITES[choice.suite];
  const schedule = (psk?.schedule ?? new EarlyStage(port.crypto, suite)).intoHandshake(shared);
  const hash = port.transcript.value();
  const clientSecret = schedule.clientTraffic(hash);
  const serverSecret = schedule.serverTraffic(hash);
  port.logSecret('CLIENT_HANDSHAKE_TRAFFIC_SECRET', choice.hello.random, clientSecret);
  port.logSecret('SERVER_HANDSHAKE_TRAFFIC_SECRET', choice.hello.random, serverSecret);
  port.wipeAtEnd(schedule, clientSecret, serverSecret);
  port.changeWriteKeys(suite, serverSecret);
  port.changeReadKeys(suite, psk?.earlySecret ?? clientSecret, aligned);
  return { suite, schedule, clientSecret, serverSecret };
}

/** Waits for our signature, then completes the flight: CertificateVerify and Finished. */
class Signing implements ServerState<'Signing'> {
  readonly name = 'Signing';
  readonly pending: Pending<ServerNext<'Signing'>>;

  constructor(begun: Begun, selected: Selected, keys: HandshakeKeys, port: Port) {
    const { credential, scheme } = selected;
    const content = signedContent('server', port.transcript.value());
    this.pending = pause(
      'sign',
      'signing-failed',
      port,
      () => credential.signer.sign(scheme, content),
      (signature, resumed) => {
        resumed.send(
          'certificate_verify',
          encodeCertificateVerify({ scheme: SCHEMES[scheme].id, signature }),
        );
        const progress = sendFinished(begun, keys, resumed);
        const { clientAuthentication } = begun.context.config;
        if (clientAuthentication.mode === 'none') return new ExpectFinished(progress, undefined);
        return new ExpectCertificate(progress, clientAuthentication);
      },
    );
  }
}

/** RFC 8446 4.4.4 and 7.1: our Finished, then the application keys for what we send. */
export function sendFinished(begun: Begun, keys: HandshakeKeys, port: Port): ServerProgress {
  const { choice } = begun;
  const { suite } = keys;
  port.send('finished', verifyData(port.crypto, suite, keys.serverSecret, port.transcript.value()));
  keys.serverSecret.wipe();
  const master = keys.schedule.intoMaster();
  const hash = port.transcript.value();
  const application = {
    clientSecret: master.clientTraffic(hash),
    serverSecret: master.serverTraffic(hash),
    exporterSecret: master.exporter(hash),
  };
  port.wipeAtEnd(master, application.clientSecret, application.serverSecret, application.exporterSecret);
  port.logSecret('CLIENT_TRAFFIC_SECRET_0', choice.hello.random, application.clientSecret);
  port.logSecret('SERVER_TRAFFIC_SECRET_0', choice.hello.random, application.serverSecret);
  port.logSecret('EXPORTER_SECRET', choice.hello.random, application.exporterSecret);
  // From here an alert of ours is under application keys; data has to wait until the client's Finished held.
  port.changeWriteKeys(suite, application.serverSecret);
  return { ...begun, keys, application, master };
}
