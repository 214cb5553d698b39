import type { Received } from '../../messages/message.ts';
import type { Port } from '../../port.ts';
import type { ServerNext, ServerState } from '../../states.ts';
import type { VerifiedPeer } from '../../verify/peer-verifier.ts';
import type { PeerVerified } from '../certificate-verify.ts';
import { checkFinished, type FinishedVerified } from '../finished.ts';
import type { ServerProgress } from './server-flight.ts';
import { ServerTraffic } from './traffic.ts';

/** RFC 8446 4.4.4. `peer` is undefined only where no certificate was asked for or none was required. */
export class ExpectFinished implements ServerState<'ExpectFinished'> {
  readonly name = 'ExpectFinished';
  readonly #progress: ServerProgress;
  readonly #peer: PeerVerified<VerifiedPeer> | undefined;

  constructor(progress: ServerProgress, peer: PeerVerified<VerifiedPeer> | undefined) {
    this.#progress = progress;
    this.#peer = peer;
  }

  handle(message: Received<'finished'>, port: Port): ServerNext<'ExpectFinished'> {
    const { keys } = this.#progress;
    const hash = port.transcript.value();
    const finished = checkFinished(port.crypto, keys.suite, keys.clientSecret, hash, message.body);
    return beginTraffic(this.#progress, this.#peer, finished, port);
  }
}

/** Needs the evidence of the client's Finished: no path to application data goes around it. */
function beginTraffic(
  progress: ServerProgress,
  peer: PeerVerified<VerifiedPeer> | undefined,
  _finished: FinishedVerified,
  port: Port,
): ServerTraffic {
  const { keys, application, choice } = progress;
  keys.clientSecret.wipe();
  port.changeReadKeys(keys.suite, application.clientSecret, port.requireAligned());
  port.establish({
    suite: keys.suite,
    peer: peer?.peer,
    alpn: choice.alpn,
    exporterSecret: application.exporterSecret,
  });
  return new ServerTraffic(keys.suite, application);
}
