import * as z from 'zod';
import type { InjectionConfig } from '#controller';
import manifest from '../../../package.json' with { type: 'json' };

/** RFC 1123 subdomain */
const name = z
  .string()
  .regex(/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/, 'a name is made of lower-case letters, digits, - and .');
const amounts = z
  .record(
    z.string(),
    z
      .union([z.string(), z.number()])
      .transform(String)
      .refine(
        (text) => /^(?:[0-9]{1,12}(?:\.[0-9]{1,6})?|\.[0-9]{1,6})(?:m|k|M|G|T|Ki|Mi|Gi|Ti)?$/.test(text),
        'an amount is like 100m, 0.5 or 128Mi',
      ),
  )
  .optional();
const resources = z
  .strictObject({ requests: amounts, limits: amounts })
  .transform(({ requests, limits }) => ({
    ...(requests === undefined ? {} : { requests }),
    ...(limits === undefined ? {} : { limits }),
  }));

/** What an idle sidecar takes is in docs/performance.md; its memory is bounded, its processor time is not. */
const SIDECAR = { requests: { cpu: '20m', memory: '80Mi' }, limits: { memory: '256Mi' } };
const INIT = { requests: { cpu: '10m', memory: '64Mi' }, limits: { memory: '192Mi' } };

/** The section `injection` of controller.yaml. Without it there is no webhook. */
export const injectionSchema = z.strictObject({
  image: z.string().min(1, 'name the image of sidecars').default(`sallyport:${manifest.version}`),
  imagePullPolicy: z.enum(['Always', 'IfNotPresent', 'Never']).default('IfNotPresent'),
  controllerHost: z.string().min(1, "name the controller's Service").optional(),
  webhookConfiguration: name.default('sallyport'),
  webhookService: name.default('sallyport-webhook'),
  defaults: z
    .strictObject({
      tlsMode: z.enum(['Strict', 'Permissive', 'Disabled']).default('Permissive'),
      unselected: z.enum(['Deny', 'AllowAuthenticated']).default('AllowAuthenticated'),
    })
    .prefault({}),
  resources: z
    .strictObject({ sidecar: resources.prefault(SIDECAR), init: resources.prefault(INIT) })
    .prefault({}),
  otlpEndpoint: z.url('write an address like http://collector.telemetry:4318').optional(),
});

interface Surroundings {
  readonly trustDomain: string;
  readonly audience: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly grpcPort: number;
  readonly webhookPort: number;
  readonly trustBundle: string;
}

export function injectionOf(
  section: z.output<typeof injectionSchema>,
  around: Surroundings,
): InjectionConfig {
  const { image, imagePullPolicy, defaults, resources, otlpEndpoint } = section;
  const { trustDomain, audience, trustBundle, namespace, serviceAccount, grpcPort } = around;
  return {
    configuration: section.webhookConfiguration,
    service: section.webhookService,
    port: around.webhookPort,
    settings: {
      image,
      imagePullPolicy,
      version: manifest.version,
      trustDomain,
      audience,
      trustBundle,
      defaults,
      resources,
      otlpEndpoint,
      controller: {
        host: section.controllerHost ?? `${serviceAccount}.${namespace}.svc`,
        port: grpcPort,
        namespace,
        serviceAccount,
      },
    },
  };
}
