import * as z from 'zod';
import type { ControllerSettings } from '#controller';
import { parseCidr } from '#policy';
import { err, ok, type Result } from '#runtime';
import { duration, port, resourceName } from '../mesh-file/fields.ts';
import { freeze } from '../mesh-file/freeze.ts';
import { inOrder, type Problem, parseYaml } from '../mesh-file/problem.ts';
import { SchemaReader } from '../mesh-file/schema-reader.ts';
import { trustDomain } from '../mesh-file/trust-domain.ts';
import { injectionOf, injectionSchema } from './injection.ts';

/** What the downward API of Kubernetes says of the controller's own pod; it outweighs the file. */
export interface ControllerPod {
  readonly namespace: string | undefined;
  readonly serviceAccount: string | undefined;
  readonly pod: string | undefined;
}

/** Reads controller.yaml in one pass: docs/controller.md, field by field. The error holds every mistake. */
export function parseControllerFile(
  file: string,
  text: string,
  pod: ControllerPod,
): Result<ControllerSettings, readonly Problem[]> {
  const source = parseYaml(file, text);
  if (!source.ok) return source;
  const reader = new SchemaReader(source.value);
  const top = reader.check(schema, source.value.value, []);
  if (top !== undefined) {
    const missing = Object.entries({ namespace: 'SALLYPORT_NAMESPACE', pod: 'SALLYPORT_POD' } as const);
    for (const [field, variable] of missing) {
      if (pod[field as 'namespace' | 'pod'] !== undefined) continue;
      const say = `the controller must know its own ${field}: set ${variable} from the downward API`;
      reader.problems.push(source.value.problem([], say));
    }
    const { leafLifetime, intermediateLifetime, podCertificates } = top;
    if (intermediateLifetime < LIVES_IN_ONE * leafLifetime) {
      const say = `an intermediate lives at least ${LIVES_IN_ONE} times as long as a leaf`;
      reader.problems.push(source.value.problem(['intermediateLifetime'], say));
    }
    if (podCertificates !== undefined && leafLifetime < POD_CERTIFICATE_LEAST) {
      const say = 'with podCertificates, at least 1h: the API server takes no shorter certificate';
      reader.problems.push(source.value.problem(['leafLifetime'], say));
    }
  }
  const { namespace, serviceAccount = 'sallyport-controller', pod: name } = pod;
  if (top === undefined || namespace === undefined || name === undefined || reader.problems.length > 0) {
    return err(inOrder(reader.problems));
  }
  const { leafLifetime, intermediateLifetime, clusterNetworks, injection, policyQuietPeriod, ...rest } = top;
  const { trustDomain, audience, names, ports } = rest;
  const around = {
    trustDomain,
    audience,
    namespace,
    serviceAccount,
    grpcPort: ports.grpc,
    webhookPort: ports.webhook,
    trustBundle: names.trustBundle,
  };
  return ok(
    freeze({
      ...rest,
      namespace,
      serviceAccount,
      pod: name,
      leafLifetimeMilliseconds: leafLifetime,
      intermediateLifetimeMilliseconds: intermediateLifetime,
      clusterNetworks,
      policyQuietMilliseconds: policyQuietPeriod,
      injection: injection === undefined ? undefined : injectionOf(injection, around),
    }),
  );
}

/** As src/identity/ca wants it; said here with its place in the file. */
const LIVES_IN_ONE = 3;

/** As src/controller/pod-certificates wants it. */
const POD_CERTIFICATE_LEAST = 3_600_000;

const network = z.string().transform((text, context) => {
  const parsed = parseCidr(text);
  if (parsed.ok) return parsed.value;
  context.addIssue({ code: 'custom', message: parsed.error });
  return z.NEVER;
});

/** As the API server wants signers to be called, without the names that are Kubernetes' own. */
const signerName = z
  .string()
  .max(571)
  .regex(
    /^(?!(?:[a-z0-9.-]*\.)?kubernetes\.io\/)[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?\/[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/,
    'a signer is named like mesh.sallyport.dev/workload, and not below kubernetes.io',
  );

const schema = z.strictObject({
  trustDomain: trustDomain.default('cluster.local'),
  audience: z.string().min(1, 'name the audience of the tokens that sidecars show').default('sallyport'),
  host: z.string().min(1, 'name an address to listen on').default('::'),
  leafLifetime: duration('2m', '24h').prefault('6h'),
  intermediateLifetime: duration('6m', '8760h').prefault('720h'),
  clusterNetworks: z.array(network).default([]),
  policyQuietPeriod: duration('10s', '8760h').prefault('24h'),
  injection: injectionSchema.optional(),
  podCertificates: z.strictObject({ signerName }).optional(),
  ports: z
    .strictObject({
      grpc: port.default(15_010),
      status: port.default(15_014),
      webhook: port.default(15_017),
    })
    .prefault({}),
  names: z
    .strictObject({
      stateSecret: resourceName.default('sallyport-ca'),
      revocationsSecret: resourceName.default('sallyport-revocations'),
      lease: resourceName.default('sallyport-controller'),
      trustBundle: resourceName.default('sallyport-trust-bundle'),
      sidecar: resourceName.default('sallyport'),
      owner: resourceName.optional(),
    })
    .prefault({}),
});
