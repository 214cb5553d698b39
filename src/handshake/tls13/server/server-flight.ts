import { EMPTY } from '#runtime';
import type { Secret } from '../../crypto/secret.ts';
import { encodeExtensions } from '../../extensions/extensions.ts';
import { encodeServerShare } from '../../extensions/key-share.ts';
import { TLS13 } from '../../extensions/supported-versions.ts';
import { GROUPS } from '../../groups.ts';
import { answerKeyShare } from '../../key-exchange.ts';
import { encodeCertificate } from '../../messages/certificate.ts';
import { encodeCertificateRequest } from '../../messages/certificate-request.ts';
import { encodeCertificateVerify } from '../../messages/certificate-verify.ts';
import { encodeEncryptedExtensions } from '../../messages/encrypted-extensions.ts';
import { encodeServerHello } from '../../messages/server-hello.ts';
import { type Pending, pause } from '../../pending.ts';
import type { Port } from '../../port.ts';
import { fail } from '../../reasons.ts';
import type { HandshakeAligned } from '../../record/joiner.ts';
import { schemeIds, SCHEMES } from '../../schemes.ts';
import type { ServerNext, ServerState } from '../../states.ts';
import { SUITES } from '../../suites.ts';
import { signedContent } from '../certificate-verify.ts';
import { verifyData } from '../finished.ts';
import type { ApplicationKeys, HandshakeKeys } from '../handshake-keys.ts';
import { EarlyStage } from '../key-schedule.ts';
import { u16 } from '../../wire/writer.ts';
import type { Choice, ServerContext } from './context.ts';
import { ExpectCertificate } from './expect-certificate.ts';
import { ExpectFinished } from './expect-finished.ts';

/** What the rest of a server's handshake needs once its own flight is out. */
export interface ServerProgress {
  readonly context: ServerContext;
  readonly choice: Choice;
  readonly keys: HandshakeKeys;
  readonly application: ApplicationKeys;
}

/** RFC 8446 2: ServerHello, EncryptedExtensions, CertificateRequest, Certificate, and a pause for the signature. */
export function sendServerFlight(
  context: ServerContext,
  choice: Choice,
  helloRetry: boolean,
  port: Port,
): Signing {
  const keys = sendServerHello(choice, helloRetry, port);
  const { alpn, recordSize } = choice;
  // RFC 8449 4: the limit holds for protected records, so from here on.
  if (recordSize !== undefined) port.limitRecords(recordSize.limit, recordSize.receiveLimit);
  const acknowledgesServerName = choice.hello.serverName !== undefined;
  const encrypted = { alpn, acknowledgesServerName, recordSize: recordSize?.answer };
  port.send('encrypted_extensions', encodeEncryptedExtensions(encrypted));
  port.emit({ type: 'alpn', protocol: choice.alpn });
  const { clientAuthentication, credential } = context.config;
  if (clientAuthentication.mode === 'request') {
    const { schemes, certificateSchemes } = context.parameters;
    const request = { schemes: schemeIds(schemes), certificateSchemes: schemeIds(certificateSchemes) };
    port.send('certificate_request', encodeCertificateRequest(request));
  }
  port.send('certificate', encodeCertificate(EMPTY, credential.chain));
  return new Signing(context, choice, keys, port);
}

/** RFC 8446 4.1.3. */
function sendServerHello(choice: Choice, helloRetry: boolean, port: Port): HandshakeKeys {
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
    ]),
  });
  port.emit({ type: 'server-hello', random, suite: choice.suite, group, helloRetry });
  port.send('server_hello', body);
  // RFC 8446 D.4: only for clients that asked for compatibility by sending a session ID; once a connection.
  if (hello.sessionId.length > 0) port.sendChangeCipherSpec();
  return deriveKeys(choice, answer.value.secret, aligned, port);
}

function deriveKeys(choice: Choice, shared: Secret, aligned: HandshakeAligned, port: Port): HandshakeKeys {
  const suite = SUITES[choice.suite];
  const schedule = new EarlyStage(port.crypto, suite).intoHandshake(shared);
  const hash = port.transcript.value();
  const clientSecret = schedule.clientTraffic(hash);
  const serverSecret = schedule.serverTraffic(hash);
  port.logSecret('CLIENT_HANDSHAKE_TRAFFIC_SECRET', choice.hello.random, clientSecret);
  port.logSecret('SERVER_HANDSHAKE_TRAFFIC_SECRET', choice.hello.random, serverSecret);
  port.wipeAtEnd(schedule, clientSecret, serverSecret);
  port.changeWriteKeys(suite, serverSecret);
  port.changeReadKeys(suite, clientSecret, aligned);
  return { suite, schedule, clientSecret, serverSecret };
}

/** Waits for our signature, then completes the flight: CertificateVerify and Finished. */
class Signing implements ServerState<'Signing'> {
  readonly name = 'Signing';
  readonly pending: Pending<ServerNext<'Signing'>>;

  constructor(context: ServerContext, choice: Choice, keys: HandshakeKeys, port: Port) {
    const { scheme } = choice;
    const content = signedContent('server', port.transcript.value());
    this.pending = pause(
      'sign',
      'signing-failed',
      port,
      () => context.config.credential.signer.sign(scheme, content),
      (signature, resumed) => {
        resumed.send(
          'certificate_verify',
          encodeCertificateVerify({ scheme: SCHEMES[scheme].id, signature }),
        );
        return sendFinished(context, choice, keys, resumed);
      },
    );
  }
}

/** RFC 8446 4.4.4 and 7.1: our Finished, then the application keys for what we send. */
function sendFinished(
  context: ServerContext,
  choice: Choice,
  keys: HandshakeKeys,
  port: Port,
): ServerNext<'Signing'> {
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
  master.wipe();
  port.wipeAtEnd(application.clientSecret, application.serverSecret, application.exporterSecret);
  port.logSecret('CLIENT_TRAFFIC_SECRET_0', choice.hello.random, application.clientSecret);
  port.logSecret('SERVER_TRAFFIC_SECRET_0', choice.hello.random, application.serverSecret);
  port.logSecret('EXPORTER_SECRET', choice.hello.random, application.exporterSecret);
  // From here an alert of ours is under application keys; data has to wait until the client's Finished held.
  port.changeWriteKeys(suite, application.serverSecret);
  const progress = { context, choice, keys, application };
  const { clientAuthentication } = context.config;
  if (clientAuthentication.mode === 'none') return new ExpectFinished(progress, undefined);
  return new ExpectCertificate(progress, clientAuthentication);
}
