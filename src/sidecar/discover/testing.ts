import { expect } from 'vitest';
import { TlsError } from '#handshake';
import { type DiscoveryRequest, RPC_REASONS } from '#rpc';
import { Scope, silentLog } from '#runtime';
import { FakeClock } from '#runtime/testing';
import type { Destination } from '../config.ts';
import { Discovery } from './discovery.ts';
import type { DiscoveryStream, OpenDiscovery } from './subscription.ts';

/** The port that is every sidecar's own. */
export const STATUS = 15_020;
export const ORDERS = 'spiffe://mesh.test/ns/shop/sa/orders';
export const POD = { host: '10.1.0.1', port: 80 };

type On = Parameters<OpenDiscovery>[0];
type Said = Parameters<On['response']>[0];
type AnswerBody = Omit<NonNullable<Said['answer']>, 'key' | 'version' | 'answer'>;

/** Discovery in a sidecar, which remembers four addresses, and the controllers whose streams it opened. */
export class TestDiscovery {
  readonly clock = new FakeClock();
  readonly scope: Scope;
  readonly controllers: FakeController[] = [];
  /** Streams that are opened from now on get no lease. */
  speechless = false;
  /** Of the leases that they do get. */
  leaseMilliseconds = 10_000;
  discovery: Discovery;
  readonly #failures: unknown[] = [];

  constructor() {
    this.scope = new Scope('test', (error) => this.#failures.push(error));
    this.discovery = this.start();
  }

  async end(): Promise<void> {
    await this.scope.close();
    expect(this.#failures).toEqual([]);
  }

  /** Another one in place of the first, with a stream of its own. */
  start(): Discovery {
    this.discovery = new Discovery({
      open: (on) => {
        const controller = new FakeController(on, !this.speechless);
        controller.leaseMilliseconds = this.leaseMilliseconds;
        this.controllers.push(controller);
        return controller;
      },
      statusPort: STATUS,
      clock: this.clock,
      log: silentLog,
      random: () => 0,
      limits: { addresses: 4 },
    });
    this.discovery.run(this.scope);
    return this.discovery;
  }

  /** The other end of the newest stream. */
  get controller(): FakeController {
    return this.controllers.at(-1)!;
  }

  /** Where a call is led, or the reason why it is refused. */
  call(
    { host, port } = POD,
    { mistaken = false, isOwn = () => false }: { mistaken?: boolean; isOwn?: (host: string) => boolean } = {},
  ): Promise<Destination | string> {
    return this.discovery.destinationOf({ host, port }, isOwn, mistaken).catch((error: unknown) => {
      if (error instanceof TlsError) return error.reason.code;
      throw error;
    });
  }

  /** What is called stays called, so that its answers matter. */
  async know(body: AnswerBody, at = POD): Promise<void> {
    this.controller.networks('10.0.0.0/8');
    const called = this.call(at);
    await this.clock.advance(0);
    this.controller.answer(at.host, at.port, body);
    await this.clock.advance(0);
    await called;
  }

  /** The stream breaks, and those that are opened then get no lease. */
  async away(milliseconds: number): Promise<void> {
    this.speechless = true;
    this.controller.break();
    await this.clock.advance(milliseconds);
  }
}

/** The other end of one stream. */
class FakeController implements DiscoveryStream {
  readonly heard: DiscoveryRequest[] = [];
  readonly on: On;
  closed = false;
  answersRenew: boolean;
  leaseMilliseconds = 10_000;

  constructor(on: On, answersRenew: boolean) {
    this.on = on;
    this.answersRenew = answersRenew;
  }

  send(request: DiscoveryRequest): void {
    this.heard.push(request);
    const sequence = Number(request.renew?.sequence ?? 0);
    if (request.renew && this.answersRenew) queueMicrotask(() => this.renewed(sequence));
  }

  renewed(sequence: number, pods = 7): void {
    const position = { pods, services: 0, endpointslices: 0, nodes: 0, meshpolicies: 0, meshtlses: 0 };
    this.on.response({
      response: 'renewed',
      renewed: { sequence, leaseMilliseconds: this.leaseMilliseconds, position },
    });
  }

  close(): void {
    this.closed = true;
  }

  networks(...networks: string[]): void {
    this.on.response({ response: 'networks', networks: { networks } });
  }

  answer(address: string, port: number, body: AnswerBody, version = 'v'): void {
    const [kind] = Object.keys(body) as [NonNullable<Said['answer']>['answer'] & string];
    this.on.response({
      response: 'answer',
      answer: { key: { address, port }, version, ...body, answer: kind },
    });
  }

  /** `address port version` of everything that was asked for. */
  get asked(): string[] {
    return this.heard.flatMap(({ subscribe }) =>
      (subscribe?.keys ?? []).map(({ key, version }) => `${key?.address} ${key?.port} ${version}`.trim()),
    );
  }

  break(): void {
    this.on.ended({ reason: RPC_REASONS['rpc-unavailable'], detail: '' });
  }
}

export function meshed(...identities: string[]): AnswerBody {
  return { workload: { name: 'orders.shop', party: { party: 'meshed', meshed: { identities } } } };
}

export function unmeshed(pod = true): AnswerBody {
  return { workload: { name: 'orders.shop', party: { party: 'unmeshed', unmeshed: { pod } } } };
}

export function service(...endpoints: [address: string, who: 'meshed' | 'pod' | 'host'][]): AnswerBody {
  return {
    service: {
      name: 'orders.shop',
      affinityMilliseconds: 0,
      local: false,
      trafficDistribution: '',
      endpoints: endpoints.map(([address, who]) => ({
        address,
        port: 8080,
        node: 'n1',
        zone: '',
        terminating: false,
        party:
          who === 'meshed'
            ? { party: 'meshed', meshed: { identities: [ORDERS] } }
            : { party: 'unmeshed', unmeshed: { pod: who === 'pod' } },
      })),
    },
  };
}
