import type { Refusal } from '#handshake';
import type { PodIdentity } from '#identity';
import { RateLimit } from '#identity/issuance';
import { type Clock, type Log, printable, type Scope } from '#runtime';
import { type KubernetesApi, statusText } from '../kubernetes/api.ts';

export interface PodEventsConfig {
  readonly api: KubernetesApi;
  /** The Deployment's name and the replica's: who says it. */
  readonly component: string;
  readonly instance: string;
  readonly clock: Clock;
  readonly log: Log;
}

type PodName = Pick<PodIdentity, 'namespace' | 'podName' | 'podUid'>;

/** Events are few and say what an owner must know; whoever causes them may want to fill etcd with them. */
export const EVENT_LIMITS = {
  /** The same of the same pod is said again after so long, with how often it came meanwhile. */
  againMilliseconds: 10 * 60_000,
  /** Of all pods together. */
  overall: { burst: 25, perSecond: 0.2 },
  /** Pods and reasons that are remembered; the oldest is forgotten, and then said anew. */
  remembered: 4_096,
  waiting: 64,
  messageCharacters: 1_000,
};

interface Said {
  /** By the monotonic clock. */
  readonly at: number;
  /** Times since then that were not said. */
  more: number;
}

/**
 * Warnings on pods (`kubectl describe pod`) of what their owners must know: that a pod gets no certificate, and why.
 * Only of pods that proved who they are. What can't be written is dropped, as the log has it anyway.
 */
export class PodEvents {
  readonly #config: PodEventsConfig;
  readonly #overall: RateLimit;
  readonly #said = new Map<string, Said>();
  readonly #waiting: object[] = [];
  #wake: () => void = () => undefined;

  constructor(config: PodEventsConfig) {
    this.#config = config;
    this.#overall = new RateLimit(EVENT_LIMITS.overall, 1, config.clock);
  }

  run(scope: Scope): void {
    scope.run(async (signal) => {
      while (!signal.aborted) {
        const next = this.#waiting.shift();
        if (next === undefined) await this.#something(signal);
        else await this.#write(next, signal);
      }
    });
  }

  refused(pod: PodName, refusal: Refusal): void {
    const count = this.#due(`${pod.podUid} ${refusal.reason.code}`);
    if (count === undefined || this.#waiting.length >= EVENT_LIMITS.waiting || !this.#overall.take(''))
      return;
    this.#waiting.push(this.#event(pod, refusal, count));
    this.#wake();
  }

  /** How often it came since it was said last; undefined: it is too soon to say it again. */
  #due(key: string): number | undefined {
    const now = this.#config.clock.monotonic();
    const said = this.#said.get(key);
    if (said !== undefined && now - said.at < EVENT_LIMITS.againMilliseconds) {
      said.more += 1;
      return undefined;
    }
    this.#said.delete(key);
    this.#said.set(key, { at: now, more: 0 });
    const [oldest] = this.#said.keys();
    if (this.#said.size > EVENT_LIMITS.remembered && oldest !== undefined) this.#said.delete(oldest);
    return (said?.more ?? 0) + 1;
  }

  #event({ namespace, podName, podUid }: PodName, { reason, detail }: Refusal, count: number): object {
    const { component, instance, clock } = this.#config;
    const at = `${new Date(clock.now()).toISOString().slice(0, -5)}Z`;
    const message = `${reason.say} (${reason.code}: ${printable(detail)}) ${reason.next}`;
    return {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { generateName: `${podName}.`, namespace },
      involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace, name: podName, uid: podUid },
      type: 'Warning',
      reason: 'CertificateRefused',
      message: message.slice(0, EVENT_LIMITS.messageCharacters),
      source: { component },
      reportingComponent: `mesh.sallyport.dev/${component}`,
      reportingInstance: instance,
      firstTimestamp: at,
      lastTimestamp: at,
      count,
    };
  }

  async #write(event: object, signal: AbortSignal): Promise<void> {
    const { api, log } = this.#config;
    const { namespace } = (event as { metadata: { namespace: string } }).metadata;
    try {
      const answer = await api.send('POST', `/api/v1/namespaces/${namespace}/events`, event, signal);
      if (answer.status !== 201) log.warn('an event was not taken', { namespace, error: statusText(answer) });
    } catch (error) {
      if (!signal.aborted) log.warn('an event could not be written', { namespace, error: String(error) });
    }
  }

  #something(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.#wake = done;
      signal.addEventListener('abort', done, { once: true });
    });
  }
}
