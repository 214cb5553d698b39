import type { Socket } from 'node:net';
import type { Reason } from '#handshake';
import type { CaptureConfig } from '../config.ts';
import type { Direction } from '../connection.ts';
import { SIDECAR_REASONS } from '../reason.ts';
import { type Endpoint, formatEndpoint } from './endpoint.ts';
import type { OwnAddresses } from './own-addresses.ts';
import type { Refusals } from './refusals.ts';

/** Where captured connections were going, and what to do with those that may not go there. */
export class Redirected {
  readonly capture: CaptureConfig;
  readonly #addresses: OwnAddresses;
  /** No captured connection may be for them. The status port is the sidecar's too, but is not captured and may be called. */
  readonly #uncallable: ReadonlySet<number>;
  readonly #refusals: Refusals;
  #tells: boolean | undefined;

  constructor(capture: CaptureConfig, adminPort: number, addresses: OwnAddresses, refusals: Refusals) {
    this.capture = capture;
    this.#addresses = addresses;
    this.#uncallable = new Set([adminPort, capture.inboundPort, capture.outboundPort]);
    this.#refusals = refusals;
  }

  /** Undefined: it can't be told, and the socket is gone. */
  destinationOf(socket: Socket, direction: Direction): Endpoint | undefined {
    const found = this.capture.originalDestination(socket);
    if (found.ok) return found.value;
    this.#refuse(socket, direction, found.error.reason, found.error.detail);
    return undefined;
  }

  isUncallable(port: number): boolean {
    return this.#uncallable.has(port);
  }

  /**
   * Whether it is certain that nobody listens where a connection was going. The kernel is believed only if it tells of a
   * listener of ours, since one without the lookup says of every port what it says of a closed one.
   */
  nobodyListensAt(called: Endpoint): boolean {
    const { inboundPort, listensAt } = this.capture;
    this.#tells ??= listensAt({ host: '127.0.0.1', port: inboundPort }) === true;
    return this.#tells && listensAt(called) === false;
  }

  isOwnAddress(host: string): boolean {
    return this.#addresses.has(host);
  }

  /** Resets the socket; counted and said in the log, though not once for each of a flood. */
  turnAway(
    socket: Socket,
    direction: Direction,
    why: 'own-port' | 'foreign-destination' | 'status-port-captured' | 'application-not-listening',
    called: Endpoint,
  ): undefined {
    const detail = `${socket.remoteAddress} called ${formatEndpoint(called)}`;
    this.#refuse(socket, direction, SIDECAR_REASONS[why], detail);
  }

  #refuse(socket: Socket, direction: Direction, reason: Reason, detail: string): void {
    this.#refusals.count(direction, reason, detail);
    socket.resetAndDestroy();
  }
}
