import type { CertificateRequest } from '../../messages/certificate-request.ts';
import type { Received } from '../../messages/message.ts';
import type { Port } from '../../port.ts';
import type { ClientNext, ClientState } from '../../states.ts';
import type { VerifiedPeer } from '../../verify/peer-verifier.ts';
import type { PeerVerified } from '../certificate-verify.ts';
import { checkFinished, type FinishedVerified } from '../finished.ts';
import { sendClientFlight } from './client-flight.ts';
import type { ServerParameters } from './expect-certificate.ts';

/** Everything that must have held before a client answers: the server's proof of itself and of the handshake. */
export interface ServerProof {
  readonly peer: PeerVerified<VerifiedPeer>;
  readonly finished: FinishedVerified;
}

/** RFC 8446 4.4.4. */
export class ExpectFinished implements ClientState<'ExpectFinished'> {
  readonly name = 'ExpectFinished';
  readonly #server: ServerParameters;
  readonly #request: CertificateRequest | undefined;
  readonly #peer: PeerVerified<VerifiedPeer>;

  constructor(
    server: ServerParameters,
    request: CertificateRequest | undefined,
    peer: PeerVerified<VerifiedPeer>,
  ) {
    this.#server = server;
    this.#request = request;
    this.#peer = peer;
  }

  handle(message: Received<'finished'>, port: Port): ClientNext<'ExpectFinished'> {
    const { context, keys } = this.#server;
    const hash = port.transcript.value();
    const finished = checkFinished(port.crypto, keys.suite, keys.serverSecret, hash, message.body);
    port.transcript.add(message.raw);

    const master = keys.schedule.intoMaster();
    const throughServerFinished = port.transcript.value();
    const application = {
      clientSecret: master.clientTraffic(throughServerFinished),
      serverSecret: master.serverTraffic(throughServerFinished),
      exporterSecret: master.exporter(throughServerFinished),
    };
    master.wipe();
    port.wipeAtEnd(application.clientSecret, application.serverSecret, application.exporterSecret);
    port.logSecret('CLIENT_TRAFFIC_SECRET_0', context.random, application.clientSecret);
    port.logSecret('SERVER_TRAFFIC_SECRET_0', context.random, application.serverSecret);
    port.logSecret('EXPORTER_SECRET', context.random, application.exporterSecret);
    port.changeReadKeys(keys.suite, application.serverSecret, port.requireAligned());
    return sendClientFlight(this.#server, this.#request, { peer: this.#peer, finished }, application, port);
  }
}
