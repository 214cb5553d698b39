import { createSocket } from 'node:dgram';
import { connect, createServer, isIPv6, type Server, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Refusal } from '#handshake';
import { type Clock, err, ok, plainAddress, type Result } from '#runtime';
import { type Endpoint, formatEndpoint } from '../listen/endpoint.ts';
import { portHolder } from '../listen/port-holder.ts';
import type { Family } from './networks.ts';
import type { OriginalDestination } from './original-destination.ts';
import { proofTargets } from './proof-targets.ts';
import { INTERCEPT_REASONS } from './reason.ts';
import type { CaptureSettings } from './settings.ts';

/** What was seen: where connections were opened to, and arrived here with that as their original destination. */
export interface Proof {
  readonly captured: readonly Endpoint[];
  /** Families without a route to anywhere: nothing can leave by them. */
  readonly withoutRoute: readonly Family[];
}

/** The outbound port, held by this process so that what is captured arrives here. */
export class ProofListener {
  readonly #servers: readonly Server[];
  readonly #arrivals = new Map<string, (socket: Socket) => void>();
  /** Connections that were accepted before their client heard of it. */
  readonly #early = new Map<string, Socket>();
  readonly #settings: CaptureSettings;
  readonly #originalDestination: OriginalDestination;
  readonly #clock: Clock;

  private constructor(
    settings: CaptureSettings,
    originalDestination: OriginalDestination,
    clock: Clock,
    servers: readonly Server[],
  ) {
    this.#settings = settings;
    this.#originalDestination = originalDestination;
    this.#clock = clock;
    this.#servers = servers;
    for (const server of servers) server.on('connection', (socket) => this.#arrived(socket));
  }

  /** Binds before any rule is loaded, so that a port that is taken leaves the rules alone. */
  static async open(
    settings: CaptureSettings,
    originalDestination: OriginalDestination,
    clock: Clock,
  ): Promise<Result<ProofListener, Refusal>> {
    const servers: Server[] = [];
    // Where redirects of the output hook lead: the loopback address of the family.
    for (const host of ['127.0.0.1', '::1']) {
      const server = createServer();
      const error = await listen(server, { host, port: settings.outboundPort });
      // A namespace without IPv6 has no ::1, and connections of that family fail by themselves.
      if (error?.code === 'EADDRNOTAVAIL' || error?.code === 'EAFNOSUPPORT') continue;
      if (error !== undefined) {
        for (const open of servers) open.close();
        const holder = await portHolder(settings.outboundPort);
        const detail = `${formatEndpoint({ host, port: settings.outboundPort })}: ${holder ?? error.message}`;
        return err({ reason: INTERCEPT_REASONS['capture-port-taken'], detail });
      }
      servers.push(server);
    }
    return ok(new ProofListener(settings, originalDestination, clock, servers));
  }

  /** Opens a connection by each family and sees it arrive. */
  async prove(): Promise<Result<Proof, Refusal>> {
    const captured: Endpoint[] = [];
    const withoutRoute: Family[] = [];
    const interfaces = Object.values(networkInterfaces()).flatMap((rows) => rows ?? []);
    for (const family of ['ipv4', 'ipv6'] as const) {
      const targets = proofTargets(this.#settings, family, interfaces);
      const found = await this.#proveFamily(targets);
      if (!found.ok) return found;
      if (found.value !== undefined) captured.push(found.value);
      else if (targets.length > 0) withoutRoute.push(family);
    }
    if (captured.length > 0) return ok({ captured, withoutRoute });
    const detail = `neither by ${withoutRoute.join(' nor by ')}`;
    return err({ reason: INTERCEPT_REASONS['no-network'], detail });
  }

  close(): void {
    for (const server of this.#servers) server.close();
    for (const socket of this.#early.values()) socket.destroy();
  }

  /** The target that was captured; undefined where none has a route. */
  async #proveFamily(targets: readonly Endpoint[]): Promise<Result<Endpoint | undefined, Refusal>> {
    for (const target of targets) {
      if (!(await hasRoute(target))) continue;
      const outcome = await this.#try(target);
      if (outcome === 'captured') return ok(target);
      return err({
        reason: INTERCEPT_REASONS['capture-unproved'],
        detail: `${formatEndpoint(target)}: ${outcome}`,
      });
    }
    return ok(undefined);
  }

  /** `captured`, or what went wrong. */
  #try(target: Endpoint): Promise<string> {
    return new Promise((resolve) => {
      const client = connect({ ...target, autoSelectFamily: false });
      let key: string | undefined;
      const settle = (outcome: string): void => {
        cancel();
        client.destroy();
        if (key !== undefined) this.#arrivals.delete(key);
        resolve(outcome);
      };
      const cancel = this.#clock.after(TIMEOUT_MILLISECONDS, () => {
        settle(client.connecting ? 'it did not connect in time' : 'it connected, but not to us');
      });
      client.on('error', (error: NodeJS.ErrnoException) => {
        settle(error.code ?? error.message);
      });
      client.on('connect', () => {
        key = clientKey(client.localAddress, client.localPort);
        const waiting = this.#early.get(key);
        if (waiting !== undefined) settle(this.#judge(waiting, target));
        else this.#arrivals.set(key, (socket) => settle(this.#judge(socket, target)));
      });
    });
  }

  #arrived(socket: Socket): void {
    socket.on('error', () => undefined);
    const key = clientKey(socket.remoteAddress, socket.remotePort);
    const expecting = this.#arrivals.get(key);
    if (expecting !== undefined) expecting(socket);
    else this.#early.set(key, socket);
    socket.once('close', () => this.#early.delete(key));
  }

  #judge(socket: Socket, target: Endpoint): string {
    const original = this.#originalDestination(socket);
    socket.destroy();
    if (!original.ok) return `it arrived, but: ${original.error.detail}`;
    const same = original.value.host === target.host && original.value.port === target.port;
    return same ? 'captured' : `it arrived as one to ${formatEndpoint(original.value)}`;
  }
}

const TIMEOUT_MILLISECONDS = 2_000;

/**
 * Asks the kernel for its route by connecting a UDP socket, which sends nothing. A failed TCP connection could not tell:
 * "unreachable" may also be the answer of a router to a packet that capture should have kept.
 */
function hasRoute({ host, port }: Endpoint): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
    const settle = (answer: boolean): void => void socket.close(() => resolve(answer));
    socket.on('error', () => settle(false));
    // An error comes to the callback, which the types don't say.
    socket.connect(port, host, (error?: unknown) => settle(error === undefined || error === null));
  });
}

function clientKey(address: string | undefined, port: number | undefined): string {
  return `${plainAddress(address)} ${port}`;
}

function listen(server: Server, endpoint: Endpoint): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    server.once('error', resolve);
    server.listen(endpoint, () => {
      server.off('error', resolve);
      resolve(undefined);
    });
  });
}
