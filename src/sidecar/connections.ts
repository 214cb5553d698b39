import type { Reason } from '#handshake';
import type { PolicySet } from '#policy';
import type { CheckedConfig } from './config.ts';
import { Connection, type ConnectionStart, type Direction } from './connection.ts';
import { Admission } from './listen/admission.ts';
import { formatEndpoint } from './listen/endpoint.ts';
import { SIDECAR_REASONS } from './reason.ts';

/** Every connection that holds a socket, from accepting it to closing the last one. */
export class Connections {
  readonly #config: CheckedConfig;
  readonly #live = new Map<number, Connection>();
  readonly #admissions: Readonly<Record<Direction, Admission>>;
  readonly #waiting = new Set<() => void>();
  #lastId = 0;

  constructor(config: CheckedConfig) {
    this.#config = config;
    const { connections } = config.limits;
    this.#admissions = { inbound: new Admission(connections), outbound: new Admission(connections) };
  }

  /** A new connection, or undefined at the cap. `release` takes it off the list when its sockets are closed. */
  open(
    start: Omit<ConnectionStart, 'id' | 'since'>,
  ): { readonly connection: Connection; readonly release: () => void } | undefined {
    const leave = this.#admissions[start.direction].enter();
    if (leave === undefined) return undefined;
    const { clock, identity, log, service, telemetry } = this.#config;
    this.#lastId += 1;
    const id = this.#lastId;
    const { direction, from, destination } = start;
    const recorder = telemetry.openConnection(
      {
        service,
        direction,
        local: identity.toString(),
        // A call's peer is whom it reaches, which is not known yet.
        ...(direction === 'inbound' ? { peerAddress: formatEndpoint(from) } : {}),
        ...(destination === undefined ? {} : { destination }),
      },
      log,
    );
    const connection = new Connection({ ...start, id, since: clock.now() }, recorder);
    this.#live.set(id, connection);
    const release = (): void => {
      leave();
      this.#live.delete(id);
      for (const check of [...this.#waiting]) check();
    };
    return { connection, release };
  }

  /** Oldest first. */
  list(direction?: Direction): Connection[] {
    const all = [...this.#live.values()];
    return direction === undefined ? all : all.filter(({ start }) => start.direction === direction);
  }

  count(direction: Direction): number {
    return this.#admissions[direction].inside;
  }

  /**
   * Asks changed policies about every connection that they had allowed. Those no longer allowed are ended; the others
   * are not touched and carry the new epoch. One that is not decided yet will be by the new policies anyway.
   */
  redecide(set: PolicySet): void {
    for (const connection of this.#live.values()) {
      const { authorization } = connection;
      if (authorization === undefined) continue;
      try {
        const decided = authorization.again(set);
        if (decided.ok) connection.authorization = { ...authorization, permit: decided.value };
        else connection.end(SIDECAR_REASONS['policy-changed'], decided.error.explanation);
      } catch (error) {
        // What can't be decided isn't allowed, and must not keep the others from being decided.
        connection.end(SIDECAR_REASONS['internal-error'], String(error));
      }
    }
  }

  /** Ends all of a direction (or both). */
  end(reason: Reason, direction?: Direction): void {
    for (const connection of this.list(direction)) connection.end(reason);
  }

  /** Resolves when no connection of that direction is left. */
  none(direction: Direction): Promise<void> {
    return new Promise((resolve) => {
      const check = (): void => {
        if (this.count(direction) > 0) return;
        this.#waiting.delete(check);
        resolve();
      };
      this.#waiting.add(check);
      check();
    });
  }

  /** Live connections whose peer's certificate has ended since. Counted, not cut. */
  outlived(): number {
    const now = this.#config.clock.now();
    return this.list().filter(({ peer }) => peer !== undefined && peer.notAfter <= now).length;
  }
}
