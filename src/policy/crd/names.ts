import * as z from 'zod';
import { parseSpiffeId, parseTrustDomain } from '#identity';
import type { Result } from '#runtime';
import { consistsOf } from '../characters.ts';
import { LIMITS } from '../limits.ts';
import { parseCidr } from '../match/cidr.ts';

/** Text that `parse` turns into a value; its error is the mistake that is shown. */
function parsed<T>(parse: (text: string) => Result<T, string>): z.ZodType<T, string> {
  return z.string().transform((text, context): T => {
    const result = parse(text);
    if (result.ok) return result.value;
    context.issues.push({ code: 'custom', message: result.error, input: text });
    return z.NEVER;
  });
}

// What stands in `meta` is for custom-resource.ts: an API server knows of a text only what its schema says.

export const spiffeId = parsed(parseSpiffeId).meta({
  maxLength: 2048,
  pattern: '^spiffe://[a-z0-9._-]{1,255}(/[a-zA-Z0-9._-]+)*$',
});
export const trustDomainName = parsed(parseTrustDomain).meta({
  maxLength: 255,
  pattern: '^[a-z0-9._-]+$',
});
export const cidr = parsed(parseCidr).meta({
  // The longest is eight groups of four digits, seven colons and a prefix of three digits.
  maxLength: 43,
  format: 'cidr',
  cel: [
    {
      rule: 'cidr(self) == cidr(self).masked()',
      message: 'is not a network in canonical form: 10.1.0.0/16, not 10.1.2.3/16; one address is 10.1.2.3/32',
    },
  ],
});

const LOWER = 'abcdefghijklmnopqrstuvwxyz';
const DIGITS = '0123456789';
const LOWER_ALPHANUMERIC = new Set(LOWER + DIGITS);
const DNS = new Set(`${LOWER}${DIGITS}-`);
const ALPHANUMERIC = new Set(LOWER + LOWER.toUpperCase() + DIGITS);
const QUALIFIED = new Set(`${LOWER}${LOWER.toUpperCase()}${DIGITS}-_.`);

/** Kubernetes' bounds: a DNS label, a DNS subdomain, and the name part of a label key or a label value. */
const LONGEST_DNS_LABEL = 63;
const LONGEST_DNS_SUBDOMAIN = 253;
const LONGEST_LABEL_PART = 63;
const LABEL_PATTERN = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';

/** A namespace: an RFC 1123 label. */
export const namespaceName = z
  .string()
  .refine(isDnsLabel, {
    error: `is not a namespace: at most ${LONGEST_DNS_LABEL} of a-z, 0-9 and "-", not "-" at an end`,
  })
  .meta({ maxLength: LONGEST_DNS_LABEL, pattern: `^${LABEL_PATTERN}$` });

/** A service account or an object: an RFC 1123 subdomain. */
export const objectName = z
  .string()
  .refine(isDnsSubdomain, {
    error: `is not a name: at most ${LONGEST_DNS_SUBDOMAIN} of a-z, 0-9, "-" and ".", and a letter or digit at both ends of each part`,
  })
  .meta({
    maxLength: LONGEST_DNS_SUBDOMAIN,
    pattern: String.raw`^${LABEL_PATTERN}(\.${LABEL_PATTERN})*$`,
  });

export const labels = z.record(
  z.string().refine(isQualifiedName, { error: 'is not a label key like "app" or "example.org/tier"' }),
  z
    .string()
    .refine((text) => text === '' || isLabelPart(text), {
      error: `is not a label value: at most ${LONGEST_LABEL_PART} of a-z, A-Z, 0-9, "-", "_" and ".", and a letter or digit at both ends`,
    })
    .meta({
      maxLength: LONGEST_LABEL_PART,
      pattern: '^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$',
    }),
);

export const annotations = z.record(
  z.string().refine((text) => isQualifiedName(text.toLowerCase()), { error: 'is not an annotation key' }),
  z.string(),
);

const LARGEST_PORT = 65_535;
const PORT_ERROR = `is not a port from 1 to ${LARGEST_PORT}`;

export const port = z
  .int({ error: PORT_ERROR })
  .min(1, { error: PORT_ERROR })
  .max(LARGEST_PORT, { error: PORT_ERROR });

/** A list with at least one value and none twice. `emptySays` tells what to write instead of an empty list. */
export function listOf<T extends z.ZodType>(
  element: T,
  key: (value: z.output<T>) => string,
  emptySays: string,
  most: number = LIMITS.valuesPerField,
): z.ZodArray<T> {
  return z
    .array(element)
    .min(1, { error: `must not be empty: ${emptySays}` })
    .max(most, { error: `has more than ${most} values` })
    .superRefine((values, context) => {
      const seen = new Set<string>();
      for (const [index, value] of values.entries()) {
        const text = key(value);
        if (seen.has(text))
          context.addIssue({ code: 'custom', path: [index], message: `${text} stands in the list twice` });
        seen.add(text);
      }
    });
}

function isDnsLabel(text: string): boolean {
  return (
    text.length >= 1 &&
    text.length <= LONGEST_DNS_LABEL &&
    consistsOf(text, DNS) &&
    hasEnds(text, LOWER_ALPHANUMERIC)
  );
}

function isDnsSubdomain(text: string): boolean {
  return (
    text.length <= LONGEST_DNS_SUBDOMAIN &&
    text.split('.').every((part) => part !== '' && consistsOf(part, DNS) && hasEnds(part, LOWER_ALPHANUMERIC))
  );
}

function isLabelPart(text: string): boolean {
  return text.length <= LONGEST_LABEL_PART && consistsOf(text, QUALIFIED) && hasEnds(text, ALPHANUMERIC);
}

function isQualifiedName(text: string): boolean {
  const slash = text.indexOf('/');
  if (slash >= 0 && !isDnsSubdomain(text.slice(0, slash))) return false;
  return isLabelPart(text.slice(slash + 1));
}

function hasEnds(text: string, allowed: ReadonlySet<string>): boolean {
  return allowed.has(text.at(0) ?? '') && allowed.has(text.at(-1) ?? '');
}
