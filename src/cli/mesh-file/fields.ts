import * as z from 'zod';
import { DURATION_FORM, parseDuration } from './duration.ts';

/** What the files of mesh, sidecar and controller have in common. */

export const port = z
  .int('a port is a whole number')
  .min(1, 'a port is at least 1')
  .max(65_535, 'a port is at most 65535');

/** RFC 1123 subdomain: what Kubernetes allows as the name of a pod, a ServiceAccount, a Secret, a Lease or a ConfigMap. */
export const SUBDOMAIN = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;

export const resourceName = z
  .string()
  .regex(SUBDOMAIN, 'a name is made of lower-case letters, digits, - and .');

/** Milliseconds, from a text such as `5s`. */
export const duration = (least: string, most: string) =>
  z
    .string({ error: `a duration is ${DURATION_FORM}` })
    .refine((text) => parseDuration(text) !== undefined, `a duration is ${DURATION_FORM}`)
    .transform((text) => parseDuration(text) ?? 0)
    .refine((value) => value >= (parseDuration(least) ?? 0), `at least ${least}`)
    .refine((value) => value <= (parseDuration(most) ?? 0), `at most ${most}`);
