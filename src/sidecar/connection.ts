import { type Reason, TlsError } from '#handshake';
import type { SpiffePeer } from '#identity';
import type { Decision, PolicySet } from '#policy';
import type { Clock, Result } from '#runtime';
import type { ConnectionRecorder } from '#telemetry';
import { closed, type End } from './forward/end.ts';
import type { Permit } from './inbound/authorize.ts';
import type { Endpoint } from './listen/endpoint.ts';

export type Direction = 'inbound' | 'outbound';
export type Phase = 'accepted' | 'handshaking' | 'dialling' | 'forwarding' | 'closing';
/** How the bytes travel between the two sides: inside mutual TLS, or as they are. */
export type Carriage = 'mesh' | 'plaintext';

/** What the policies said of a connection, and how to ask them again. */
export interface Authorization {
  readonly permit: Permit;
  readonly again: (set: PolicySet) => Result<Permit, Decision>;
}

export interface ConnectionStart {
  readonly id: number;
  readonly direction: Direction;
  /** Who connected to us. */
  readonly from: Endpoint;
  /** Milliseconds since the Unix epoch. */
  readonly since: number;
  /** `service:port` that the application called; outbound only. */
  readonly destination: string | undefined;
}

/**
 * One connection from its acceptance to its end: what is known of it, the sockets it holds, and the way to end it from
 * outside. Its path (inbound or outbound) moves it on; the registry lists it.
 */
export class Connection {
  readonly start: ConnectionStart;
  phase: Phase = 'accepted';
  carriage: Carriage | undefined;
  peer: SpiffePeer | undefined;
  /** Serial number of the certificate that we showed. */
  localSerial: string | undefined;
  authorization: Authorization | undefined;
  receivedBytes = 0;
  sentBytes = 0;
  readonly #recorder: ConnectionRecorder;
  readonly #controller = new AbortController();
  /** By socket, so that a TLS stream takes the place of the socket that it runs on. */
  readonly #ends = new Map<End['transport'], End>();
  readonly #cleanups: ((failure: TlsError | undefined) => void)[] = [];

  constructor(start: ConnectionStart, recorder: ConnectionRecorder) {
    this.start = start;
    this.#recorder = recorder;
  }

  /** Aborts, with a TlsError as its reason, when somebody outside its path ends the connection. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** For the line in the log. */
  learned(facts: Parameters<ConnectionRecorder['learned']>[0]): void {
    this.#recorder.learned(facts);
  }

  received(bytes: number): void {
    this.receivedBytes += bytes;
    this.#recorder.received(bytes);
  }

  sent(bytes: number): void {
    this.sentBytes += bytes;
    this.#recorder.sent(bytes);
  }

  /** From here on the connection answers for this end. */
  hold(end: End): void {
    this.#ends.set(end.transport, end);
  }

  /** Runs `cleanup` when the connection has closed, with what it ended by; undefined: in order. */
  onClose(cleanup: (failure: TlsError | undefined) => void): void {
    this.#cleanups.push(cleanup);
  }

  /** Orders the end; the path's current step throws the TlsError. The first reason wins. */
  end(reason: Reason, detail = ''): void {
    if (!this.signal.aborted) this.#controller.abort(new TlsError(reason, detail));
  }

  /** Called by the path, once: writes the line, breaks off what is open if it ended with an error, waits for sockets. */
  async close(failure: TlsError | undefined, clock: Clock, lingerMilliseconds: number): Promise<void> {
    this.phase = 'closing';
    this.#recorder.closed(failure?.reason, failure?.detail);
    const ends = [...this.#ends.values()];
    if (failure !== undefined) for (const end of ends) end.abort(failure);
    await Promise.all(ends.map((end) => closed(end, clock, lingerMilliseconds)));
    for (const cleanup of this.#cleanups) cleanup(failure);
  }
}
