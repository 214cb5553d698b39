import type { DiscoveryResponse } from '#rpc';
import { versionOf } from '../graph/answer.ts';
import type { Affected, Graph } from '../graph/graph.ts';
import { SetsByKey } from '../graph/sets-by-key.ts';
import { answerResponse, type Key } from './encode.ts';

/** One address and port that somebody asked for, with the answer of now. */
export interface Topic<Subscriber> {
  readonly key: Key;
  version: string;
  response: DiscoveryResponse;
  /** How many the response names. */
  endpoints: number;
  /** Of the Service, for logs. */
  name: string;
  /** It leaves endpoints out, since there are too many. */
  cut: boolean;
  readonly subscribers: Set<Subscriber>;
}

/** Everything that is asked for, each once, however many ask. */
export class Topics<Subscriber> {
  readonly #graph: Graph;
  readonly #trustDomain: string;
  readonly #topics = new Map<string, Topic<Subscriber>>();
  readonly #byAddress = new SetsByKey<string, Topic<Subscriber>>();
  readonly #byPort = new SetsByKey<number, Topic<Subscriber>>();
  readonly #stale = new Set<Topic<Subscriber>>();
  #endpoints = 0;

  constructor(graph: Graph, trustDomain: string) {
    this.#graph = graph;
    this.#trustDomain = trustDomain;
  }

  get size(): number {
    return this.#topics.size;
  }

  /** Of all answers. */
  get endpoints(): number {
    return this.#endpoints;
  }

  add(key: Key, subscriber: Subscriber): Topic<Subscriber> {
    const id = idOf(key);
    let topic = this.#topics.get(id);
    if (topic === undefined) {
      topic = { key, ...this.#answer(key), subscribers: new Set() };
      this.#topics.set(id, topic);
      this.#endpoints += topic.endpoints;
      this.#byAddress.add(key.address, topic);
      this.#byPort.add(key.port, topic);
    }
    topic.subscribers.add(subscriber);
    return topic;
  }

  remove(topic: Topic<Subscriber>, subscriber: Subscriber): void {
    topic.subscribers.delete(subscriber);
    if (topic.subscribers.size > 0) return;
    if (!this.#topics.delete(idOf(topic.key))) return;
    this.#endpoints -= topic.endpoints;
    this.#byAddress.delete(topic.key.address, topic);
    this.#byPort.delete(topic.key.port, topic);
    this.#stale.delete(topic);
  }

  /** Whether its answer may be another by now. */
  isStale(topic: Topic<Subscriber>): boolean {
    return this.#stale.has(topic);
  }

  find(key: Key): Topic<Subscriber> | undefined {
    return this.#topics.get(idOf(key));
  }

  /** Remembers what has to be looked at again. Whether there is anything. */
  touch({ addresses, nodePorts }: Affected): boolean {
    for (const address of addresses) {
      for (const topic of this.#byAddress.of(address)) this.#stale.add(topic);
    }
    for (const port of nodePorts) {
      for (const topic of this.#byPort.of(port)) this.#stale.add(topic);
    }
    return this.#stale.size > 0;
  }

  /** Looks at it again: those whose answer is another now. */
  refresh(): Topic<Subscriber>[] {
    const changed: Topic<Subscriber>[] = [];
    for (const topic of this.#stale) {
      const answer = this.#answer(topic.key);
      if (answer.version === topic.version) continue;
      this.#endpoints += answer.endpoints - topic.endpoints;
      Object.assign(topic, answer);
      changed.push(topic);
    }
    this.#stale.clear();
    return changed;
  }

  #answer(key: Key): Omit<Topic<never>, 'key' | 'subscribers'> {
    const answer = this.#graph.answer(key.address, key.port);
    const version = versionOf(answer);
    return {
      version,
      response: answerResponse(key, version, answer, this.#trustDomain),
      endpoints: answer.kind === 'service' ? answer.endpoints.length : 1,
      name: answer.kind === 'service' ? answer.name : '',
      cut: answer.kind === 'service' && answer.cut,
    };
  }
}

function idOf({ address, port }: Key): string {
  return `${address} ${port}`;
}
