import type { Destination } from '../config.ts';
import type { Endpoint } from '../listen/endpoint.ts';

/** Where captured calls learn whom an address stands for: a file (`Destinations`) or the controller (`Discovery`). */
export interface DestinationSource {
  /**
   * What a connection to `called` is. May take as long as a call is held. Throws TlsError `destination-unknown` or
   * `lease-lapsed`.
   *
   * @param isOwn tells our own addresses
   * @param mistaken whoever answered proved another identity than the last answer said: look anew
   */
  destinationOf(
    called: Endpoint,
    isOwn: (host: string) => boolean,
    mistaken: boolean,
  ): Destination | Promise<Destination>;
  /** The name of the service that `called` is, for logs; undefined: it has none, or none that is known yet. */
  serviceAt(called: Endpoint): string | undefined;
  /** Whether a workload at this address may have a sidecar, on whatever port. */
  hasSidecar(host: string): boolean;
}
