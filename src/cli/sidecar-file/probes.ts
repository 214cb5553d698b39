import * as z from 'zod';
import type { Probe } from '#sidecar';
import { port } from '../mesh-file/fields.ts';
import type { Path, Problem, Source } from '../mesh-file/problem.ts';

/** 32 hexadecimal digits are 128 bits, which nobody guesses. */
const token = z
  .string()
  .regex(
    /^[A-Za-z0-9_-]{32,128}$/,
    'a token is 32 to 128 letters, digits, - and _ that nobody can guess, such as from `openssl rand -hex 16`',
  );

/** RFC 9110 5.1 and 5.5; and what would change how the request itself is read. */
const header = z.strictObject({
  name: z
    .string()
    .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/, 'a header has a name of letters, digits and -')
    .refine(
      (name) =>
        !['connection', 'content-length', 'transfer-encoding', 'upgrade'].includes(name.toLowerCase()),
      'this header is for the connection, not for a probe',
    ),
  value: z.string().regex(/^[\t\x20-\x7e\x80-\xff]{0,4096}$/, 'a header has a value of one line'),
});

const probeSchema = z
  .strictObject({
    token,
    timeoutSeconds: z
      .int('timeoutSeconds is a whole number')
      .min(1, 'timeoutSeconds is at least 1')
      .max(3_600, 'timeoutSeconds is at most 3600')
      .default(60),
    http: z
      .strictObject({
        port,
        path: z.string().max(2_048, 'a path is at most 2048 characters').default('/'),
        scheme: z.enum(['HTTP', 'HTTPS']).default('HTTP'),
        headers: z.array(header).max(64, 'a probe has at most 64 headers').default([]),
      })
      .optional(),
    tcp: z.strictObject({ port }).optional(),
    grpc: z
      .strictObject({
        port,
        service: z.string().max(1_024, 'a service is at most 1024 characters').default(''),
      })
      .optional(),
  })
  .refine(
    ({ http, tcp, grpc }) => [http, tcp, grpc].filter((kind) => kind !== undefined).length === 1,
    'say one of http, tcp and grpc',
  );

/** As many as a pod of fifty containers with every kind of probe needs. */
export const probesSchema = z.array(probeSchema).max(200, 'there are at most 200 probes');

type Row = z.output<typeof probeSchema>;

export function probeOf({ token, timeoutSeconds, http, tcp, grpc }: Row): Probe {
  const timeoutMilliseconds = timeoutSeconds * 1_000;
  const target =
    http !== undefined
      ? ({ kind: 'http', ...http } as const)
      : tcp !== undefined
        ? ({ kind: 'tcp', ...tcp } as const)
        : ({ kind: 'grpc', port: grpc?.port ?? 0, service: grpc?.service ?? '' } as const);
  return { token, timeoutMilliseconds, target };
}

/** What a schema can't see: tokens that are there twice, and probes of the sidecar itself. */
export function probeProblems(
  source: Source,
  path: Path,
  rows: readonly Row[],
  ownPorts: Readonly<Record<string, number>>,
): Problem[] {
  const seen = new Set<string>();
  return rows.flatMap((row, index) => {
    const problems: Problem[] = [];
    // The token itself is not for a log.
    if (seen.has(row.token))
      problems.push(source.problem([...path, index, 'token'], 'token: another probe has the same one'));
    seen.add(row.token);
    const kind = row.http !== undefined ? 'http' : row.tcp !== undefined ? 'tcp' : 'grpc';
    const { port } = probeOf(row).target;
    const [own] = Object.entries(ownPorts).find(([, own]) => own === port) ?? [];
    if (own !== undefined)
      problems.push(
        source.problem(
          [...path, index, kind, 'port'],
          `port: ${port} is the sidecar's own (${own}), not the application's`,
        ),
      );
    return problems;
  });
}
