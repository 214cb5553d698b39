import type { CertificateRequest } from '../../messages/certificate-request.ts';
import { encodeEndOfEarlyData } from '../../messages/end-of-early-data.ts';
import type { Received } from '../../messages/message.ts';
import type { Port } from '../../port.ts';
import type { ClientNext, ClientState } from '../../states.ts';
import { checkFinished, type FinishedVerified } from '../finished.ts';
import type { ProvenPeer } from '../proven-peer.ts';
import { sendClientFlight } from './client-flight.ts';
import type { ServerParameters } from './expect-certificate.ts';

/** Everything that must have held before a client answers: the server's proof of itself and of the handshake. */
export interface ServerProof {
  /** Undefined: a key from outside, which its Finished shows that the server knows. */
  readonly peer: ProvenPeer | undefined;
  readonly chain: readonly Uint8Array[];
  readonly finished: FinishedVerified;
}

/** RFC 8446 4.4.4. */
export class ExpectFinished implements ClientState<'ExpectFinished'> {
  readonly name = 'ExpectFinished';
  readonly #server: ServerParameters;
  readonly #request: CertificateRequest | undefined;
  readonly #peer: ProvenPeer | undefined;
  readonly #chain: readonly Uint8Array[];

  constructor(
    server: ServerParameters,
    request: CertificateRequest | undefined,
    peer: ProvenPeer | undefined,
    chain: readonly Uint8Array[],
  ) {
    this.#server = server;
    this.#request = request;
    this.#peer = peer;
    this.#chain = chain;
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
    port.wipeAtEnd(master, application.clientSecret, application.serverSecret, application.exporterSecret);
    port.logSecret('CLIENT_TRAFFIC_SECRET_0', context.random, application.clientSecret);
    port.logSecret('SERVER_TRAFFIC_SECRET_0', context.random, application.serverSecret);
    port.logSecret('EXPORTER_SECRET', context.random, application.exporterSecret);
    port.changeReadKeys(keys.suite, application.serverSecret, port.requireAligned());
    if (this.#server.use.earlyData === 'accepted') endEarlyData(this.#server, port);
    const proof = { peer: this.#peer, chain: this.#chain, finished };
    return sendClientFlight(this.#server, this.#request, proof, { ...application, master }, port);
  }
}

/** RFC 8446 4.5: the last message under the early keys, between the server's Finished and ours. */
function endEarlyData({ keys }: ServerParameters, port: Port): void {
  port.earlyOutput.close();
  port.send('end_of_early_data', encodeEndOfEarlyData());
  port.changeWriteKeys(keys.suite, keys.clientSecret);
}
