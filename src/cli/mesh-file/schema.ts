import * as z from 'zod';
import { duration, port } from './fields.ts';
import { trustDomain } from './trust-domain.ts';

/** What one can say in mesh.yaml: docs/embedded.md, field by field. Names of other services are checked afterwards. */

/** RFC 1123 label: what Kubernetes allows as the name of a Service, a namespace or a ServiceAccount. */
const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const label = (what: string) =>
  z.string().regex(LABEL, `${what} is made of lower-case letters, digits and hyphens, at most 63`);

/** The shape of the whole; each service and each line of traffic is checked on its own, so that all mistakes show. */
export const meshSchema = z.strictObject({
  trustDomain,
  policies: z.array(z.string().min(1)).min(1, 'name at least one file or folder of policies'),
  state: z.string().min(1).default('./.sallyport'),
  // Below a second the CA would do little else than sign; a life of two minutes is the least that is issued.
  rotateEvery: duration('1s', '24h').optional(),
  leafLifetime: duration('2m', '24h').optional(),
  services: z
    .record(z.string(), z.unknown())
    .refine((services) => Object.keys(services).length > 0, 'name at least one service'),
  traffic: z.array(z.unknown()).default([]),
});

const call = z.union([z.string(), z.strictObject({ service: z.string(), listen: port.optional() })], {
  error: 'a call is the name of a service, or {service: NAME, listen: PORT}',
});

export const serviceSchema = z.strictObject({
  command: z
    .array(z.string({ error: 'each word of a command is text; put numbers in quotes' }).min(1), {
      error: 'a command is a list of words, such as [python3, -m, http.server, "8000"]; no shell is involved',
    })
    .min(1, 'a command has at least one word')
    .optional(),
  port,
  namespace: label('a namespace').default('default'),
  serviceAccount: label('a service account').optional(),
  labels: z.record(z.string(), z.string()).default({}),
  env: z
    .record(
      z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'not a name of an environment variable'),
      z.coerce.string(),
    )
    .default({}),
  calls: z.array(call).default([]),
});

export const serviceName = label("a service's name");

export const trafficSchema = z.strictObject({
  request: z.string(),
  as: z.string().optional(),
  through: z.array(z.string().regex(/^\S+ -> \S+$/, 'a hop is written as CALLER -> SERVICE')).default([]),
  every: duration('10ms', '1h').default(1_000),
});
