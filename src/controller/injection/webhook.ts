import { randomBytes } from 'node:crypto';
import type { ServerConfig } from '#handshake';
import type { TrustBundle } from '#identity';
import type { Clock, Log, ReadableWatch, Scope } from '#runtime';
import type { BundlePublisher } from '../issuance/bundle-publisher.ts';
import type { KubernetesApi } from '../kubernetes/api.ts';
import type { InjectionConfig } from './settings.ts';
import { WebhookConfiguration } from './webhook-configuration.ts';
import { type ReviewOutcome, startWebhookServer } from './webhook-server.ts';

export interface WebhookParts {
  readonly host: string;
  readonly api: KubernetesApi;
  readonly bundle: ReadableWatch<TrustBundle>;
  readonly leads: ReadableWatch<boolean>;
  readonly publisher: BundlePublisher;
  readonly tls: () => Omit<ServerConfig, 'alpn'> | undefined;
  readonly onReview: (outcome: ReviewOutcome) => void;
  readonly clock: Clock;
  readonly log: Log;
}

const TOKEN_BYTES = 16;

/** The webhook of a controller, and what the API server has to know of it. Resolves with its port. */
export async function startWebhook(
  scope: Scope,
  { configuration, port, settings }: InjectionConfig,
  { host, api, bundle, leads, publisher, tls, onReview, clock, log }: WebhookParts,
): Promise<number> {
  const listening = await startWebhookServer(scope, {
    host,
    port,
    settings,
    tls,
    onReview,
    ensureTrust: (namespace, signal) => publisher.ensure(namespace, signal),
    token: () => randomBytes(TOKEN_BYTES).toString('hex'),
    clock,
    log,
  });
  // Not before it listens: until then the API server is told nothing new.
  new WebhookConfiguration({ api, name: configuration, bundle, leads, clock, log }).run(scope);
  return listening;
}
