import type { Received } from '../../messages/message.ts';
import type { Port } from '../../port.ts';
import type { ServerNext, ServerState } from '../../states.ts';
import type { ProvenPeer } from '../proven-peer.ts';
import { ExpectFinished } from './expect-finished.ts';
import type { ServerProgress } from './server-flight.ts';

/** RFC 8446 4.5: early data comes under its own keys until the client says that it ends. */
export class ExpectEndOfEarlyData implements ServerState<'ExpectEndOfEarlyData'> {
  readonly name = 'ExpectEndOfEarlyData';
  readonly #progress: ServerProgress;
  readonly #peer: ProvenPeer | undefined;
  readonly #chain: readonly Uint8Array[];

  constructor(progress: ServerProgress, peer: ProvenPeer | undefined, chain: readonly Uint8Array[]) {
    this.#progress = progress;
    this.#peer = peer;
    this.#chain = chain;
  }

  handle(message: Received<'end_of_early_data'>, port: Port): ServerNext<'ExpectEndOfEarlyData'> {
    const { keys } = this.#progress;
    port.transcript.add(message.raw);
    port.earlyInput.end();
    port.changeReadKeys(keys.suite, keys.clientSecret, port.requireAligned());
    return new ExpectFinished(this.#progress, this.#peer, this.#chain);
  }
}
