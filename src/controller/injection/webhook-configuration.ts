import { encodeTrustBundle, type TrustBundle } from '#identity';
import { type Clock, type Log, type ReadableWatch, type Scope, sleep } from '#runtime';
import { type KubernetesApi, statusText } from '../kubernetes/api.ts';

export interface WebhookConfigurationConfig {
  readonly api: KubernetesApi;
  readonly name: string;
  /** Whom the API server is to believe that it is the webhook. */
  readonly bundle: ReadableWatch<TrustBundle>;
  readonly leads: ReadableWatch<boolean>;
  readonly clock: Clock;
  readonly log: Log;
}

/** What somebody else overwrote is right again after this. */
const PERIOD_MILLISECONDS = 5_000;
const PATH = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations';

/** Keeps the roots in the caBundle of a MutatingWebhookConfiguration. All else in it belongs to who installed it. */
export class WebhookConfiguration {
  readonly #config: WebhookConfigurationConfig;
  #said: string | undefined;

  constructor(config: WebhookConfigurationConfig) {
    this.#config = config;
  }

  run(scope: Scope): void {
    const { bundle, clock, leads } = this.#config;
    let wake = (): void => undefined;
    scope.defer(leads.subscribe(() => wake()));
    scope.defer(bundle.subscribe(() => wake()));
    scope.run(async (signal) => {
      for (;;) {
        if (leads.value) this.#say(await this.reconcile(signal).catch(String));
        const woken = new AbortController();
        wake = () => woken.abort();
        const either = AbortSignal.any([signal, woken.signal]);
        await sleep(clock, PERIOD_MILLISECONDS, either).catch(() => signal.throwIfAborted());
      }
    });
  }

  /** Writes it where it differs. Resolves with what keeps it from that. */
  async reconcile(signal: AbortSignal): Promise<string | undefined> {
    const { api, name, bundle, log } = this.#config;
    const path = `${PATH}/${name}`;
    const found = await api.send('GET', path, undefined, signal);
    if (found.status !== 200) return statusText(found);
    const configuration = found.body as Configuration;
    const caBundle = Buffer.from(encodeTrustBundle(bundle.value)).toString('base64');
    const webhooks = configuration.webhooks ?? [];
    if (webhooks.every(({ clientConfig }) => clientConfig.caBundle === caBundle)) return undefined;
    const changed = {
      ...configuration,
      webhooks: webhooks.map((webhook) => ({
        ...webhook,
        clientConfig: { ...webhook.clientConfig, caBundle },
      })),
    };
    // With the resourceVersion that was read: who changed it meanwhile is not overwritten, and it is tried again.
    const written = await api.send('PUT', path, changed, signal);
    if (written.status !== 200) return statusText(written);
    log.info('the API server was told whom to believe as webhook', {
      configuration: name,
      roots: bundle.value.hash,
    });
    return undefined;
  }

  /** Once, not each time. */
  #say(problem: string | undefined): void {
    const { log, name } = this.#config;
    if (problem !== undefined && problem !== this.#said) {
      log.warn('the webhook configuration cannot be kept: pods are refused until it can', { name, problem });
    }
    this.#said = problem;
  }
}

interface Configuration {
  readonly webhooks?: readonly { readonly clientConfig: { readonly caBundle?: string } }[];
}
