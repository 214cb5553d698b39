import * as z from 'zod';
import type { ControllerSettings } from '#controller';
import { parseCidr } from '#policy';
import { err, ok, type Result } from '#runtime';
import { DURATION_FORM, parseDuration } from '../mesh-file/duration.ts';
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
    const { leafLifetime, intermediateLifetime } = top;
    if (intermediateLifetime < LIVES_IN_ONE * leafLifetime) {
      const say = `an intermediate lives at least ${LIVES_IN_ONE} times as long as a leaf`;
      reader.problems.push(source.value.problem(['intermediateLifetime'], say));
    }
  }
  const { namespace, serviceAccount = 'sallyport-controller', pod: name } = pod;
  if (top === undefined || namespace === undefined || name === undefined || reader.problems.length > 0) {
    return err(inOrder(reader.problems));
  }
  const { leafLifetime, intermediateLifetime, clusterNetworks, injection, ...rest } = top;
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
      injection: injection === undefined ? undefined : injectionOf(injection, around),
    }),
  );
}

/** As src/identity/ca wants it; said here with its place in the file. */
const LIVES_IN_ONE = 3;

const port = z
  .int('a port is a whole number')
  .min(1, 'a port is at least 1')
  .max(65_535, 'a port is at most 65535');

const duration = (least: string, most: string, otherwise: string) =>
  z
    .string({ error: `a duration is ${DURATION_FORM}` })
    .default(otherwise)
    .refine((text) => parseDuration(text) !== undefined, `a duration is ${DURATION_FORM}`)
    .transform((text) => parseDuration(text) ?? 0)
    .refine((value) => value >= (parseDuration(least) ?? 0), `at least ${least}`)
    .refine((value) => value <= (parseDuration(most) ?? 0), `at most ${most}`);

const network = z.string().transform((text, context) => {
  const parsed = parseCidr(text);
  if (parsed.ok) return parsed.value;
  context.addIssue({ code: 'custom', message: parsed.error });
  return z.NEVER;
});

/** RFC 1123 subdomain: what Kubernetes allows as the name of a Secret, a Lease or a ConfigMap. */
const name = z
  .string()
  .regex(/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/, 'a name is made of lower-case letters, digits, - and .');

const schema = z.strictObject({
  trustDomain: trustDomain.default('cluster.local'),
  audience: z.string().min(1, 'name the audience of the tokens that sidecars show').default('sallyport'),
  host: z.string().min(1, 'name an address to listen on').default('::'),
  leafLifetime: duration('2m', '24h', '6h'),
  intermediateLifetime: duration('6m', '8760h', '720h'),
  clusterNetworks: z.array(network).default([]),
  injection: injectionSchema.optional(),
  ports: z
    .strictObject({
      grpc: port.default(15_010),
      status: port.default(15_014),
      webhook: port.default(15_017),
    })
    .prefault({}),
  names: z
    .strictObject({
      stateSecret: name.default('sallyport-ca'),
      revocationsSecret: name.default('sallyport-revocations'),
      lease: name.default('sallyport-controller'),
      trustBundle: name.default('sallyport-trust-bundle'),
      sidecar: name.default('sallyport'),
      owner: name.optional(),
    })
    .prefault({}),
});
