import { EMPTY } from '#runtime';
import { type Selected, selectCredential } from '../../credentials/select.ts';
import { encodeCertificate } from '../../messages/certificate.ts';
import type { CertificateRequest } from '../../messages/certificate-request.ts';
import { encodeCertificateVerify } from '../../messages/certificate-verify.ts';
import { type Pending, pause } from '../../pending.ts';
import type { Port } from '../../port.ts';
import { SCHEMES } from '../../schemes.ts';
import type { ClientNext, ClientState } from '../../states.ts';
import { signedContent } from '../certificate-verify.ts';
import { verifyData } from '../finished.ts';
import type { ApplicationKeys } from '../handshake-keys.ts';
import type { MasterStage } from '../key-schedule.ts';
import { sessionKey, TicketKeeper } from './session.ts';
import { ClientTraffic } from './traffic.ts';
import type { ServerParameters } from './expect-certificate.ts';
import type { ServerProof } from './expect-finished.ts';

/** RFC 8446 4.4: Certificate and CertificateVerify if asked for, then Finished. */
export function sendClientFlight(
  server: ServerParameters,
  request: CertificateRequest | undefined,
  proof: ServerProof,
  application: ApplicationSecrets,
  port: Port,
): ClientNext<'ExpectFinished'> {
  const finish = (at: Port): ClientTraffic => sendFinished(server, proof, application, at);
  if (request === undefined) return finish(port);
  const { credentials } = server.context.parameters;
  if (credentials.length === 0) {
    // RFC 8446 4.4.2: without a suitable certificate the client "MUST send a Certificate message containing no
    // certificates"; whether that is enough is the server's decision.
    port.send('certificate', encodeCertificate(EMPTY, []));
    return finish(port);
  }
  const { schemes, authorities, wantsStatus } = request;
  const selected = selectCredential(credentials, { schemes, authorities, serverName: undefined });
  const { chain, ocspResponse } = selected.credential;
  port.send('certificate', encodeCertificate(EMPTY, chain, wantsStatus ? ocspResponse : undefined));
  return new Signing(selected, finish, port);
}

/** The keys of what comes now, and the stage that later tickets come from. */
interface ApplicationSecrets extends ApplicationKeys {
  readonly master: MasterStage;
}

/** Waits for our signature. */
class Signing implements ClientState<'Signing'> {
  readonly name = 'Signing';
  readonly pending: Pending<ClientNext<'Signing'>>;

  constructor(choice: Selected, finish: (port: Port) => ClientTraffic, port: Port) {
    const { scheme } = choice;
    const content = signedContent('client', port.transcript.value());
    this.pending = pause(
      'sign',
      'signing-failed',
      port,
      () => choice.credential.signer.sign(scheme, content),
      (signature, resumed) => {
        resumed.send(
          'certificate_verify',
          encodeCertificateVerify({ scheme: SCHEMES[scheme].id, signature }),
        );
        return finish(resumed);
      },
    );
  }
}

function sendFinished(
  server: ServerParameters,
  proof: ServerProof,
  application: ApplicationSecrets,
  port: Port,
): ClientTraffic {
  const { suite, clientSecret, serverSecret } = server.keys;
  const { alpn, use } = server;
  port.send('finished', verifyData(port.crypto, suite, clientSecret, port.transcript.value()));
  port.changeWriteKeys(suite, application.clientSecret);
  clientSecret.wipe();
  serverSecret.wipe();
  const tickets = keepTickets(server, proof, application.master, port);
  port.establish({
    suite,
    peer: proof.peer?.peer,
    alpn,
    exporterSecret: application.exporterSecret,
    session: use,
  });
  return new ClientTraffic(suite, application, tickets);
}

/** Undefined without a cache, and for a key from outside. */
function keepTickets(
  { context, alpn, suite, earlier }: ServerParameters,
  { peer, chain }: ServerProof,
  master: MasterStage,
  port: Port,
): TicketKeeper | undefined {
  const { config, parameters, serverName } = context;
  const { sessions } = config;
  const resumption = sessions && peer ? master.resumption(port.transcript.value()) : undefined;
  master.wipe();
  if (sessions === undefined || peer === undefined || resumption === undefined) return undefined;
  const key = sessionKey(sessions, serverName, parameters.alpn);
  const keeper = new TicketKeeper(config, { key, suite, alpn, peer, chain, resumption, earlier });
  port.wipeAtEnd(keeper);
  return keeper;
}
