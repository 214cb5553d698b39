import type { Socket } from 'node:net';

/**
 * The connections of a port that anybody may call. At the cap the one that has been there longest goes, so that those who
 * come and stay silent cannot keep the kubelet out.
 */
export class Guests {
  readonly #cap: number;
  /** Oldest first. */
  readonly #evictable = new Set<Socket>();

  constructor(cap: number) {
    this.#cap = cap;
  }

  welcome(socket: Socket): void {
    const [oldest] = this.#evictable;
    if (oldest !== undefined && this.#evictable.size >= this.#cap) this.#evict(oldest);
    this.#evictable.add(socket);
    socket.once('close', () => this.#evictable.delete(socket));
  }

  /** This one proved that it may be here, and stays as long as it takes. */
  keep(socket: Socket): void {
    this.#evictable.delete(socket);
  }

  #evict(socket: Socket): void {
    this.#evictable.delete(socket);
    socket.destroy();
  }
}
