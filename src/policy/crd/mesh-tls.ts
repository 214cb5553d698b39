import * as z from 'zod';
import { API_VERSION, type MeshTls } from '../model.ts';
import { positionOf } from './locate.ts';
import { DOCUMENT_HINTS, metadata } from './metadata.ts';
import { listOf, port } from './names.ts';
import { refineTarget, selector, TARGET_HINTS, TARGET_RULE, targetOf, targetRef } from './target.ts';
import { whenFieldsAreKnown } from './whole.ts';
import type { Located } from './yaml.ts';

const mode = z.enum(['Strict', 'Permissive', 'Disabled']).meta({
  description:
    'Strict: only mutual TLS of the mesh. Permissive: plaintext and other TLS pass too, counted. Disabled: no TLS of the mesh.',
});
const NOTHING = 'says nothing: write a mode, or ports with modes';
const PROFILE = 'is part of the TLS profile, which is not configurable yet';

const spec = z
  .strictObject({
    targetRef: targetRef.optional(),
    selector: selector.optional(),
    mode: mode.optional(),
    ports: listOf(z.strictObject({ port, mode }), (entry) => String(entry.port), 'leave it out')
      .meta({ description: 'Modes of single ports; they go before `mode`.', listMapKeys: ['port'] })
      .optional(),
  })
  .superRefine((value, context) => {
    refineTarget(value, context);
    if (value.mode === undefined && value.ports === undefined) {
      context.addIssue({ code: 'custom', path: [], message: NOTHING });
    }
  }, whenFieldsAreKnown)
  .meta({
    cel: [TARGET_RULE, { rule: 'has(self.mode) || has(self.ports)', message: NOTHING }],
    hints: {
      ...TARGET_HINTS,
      mtls: 'is not needed: write "mode" itself',
      portLevelMtls: 'is called ports here: a list of { port, mode }',
      profile: PROFILE,
      versions: PROFILE,
      minVersion: PROFILE,
      suites: PROFILE,
      groups: PROFILE,
      resumption: PROFILE,
      earlyData: PROFILE,
      interopPorts: PROFILE,
      rules: 'belongs into a MeshPolicy',
    },
  });

export const meshTlsSchema = z
  .strictObject({ apiVersion: z.literal(API_VERSION), kind: z.literal('MeshTLS'), metadata, spec })
  .meta({ hints: DOCUMENT_HINTS });

export function toMeshTls(file: string, located: Located, parsed: z.output<typeof meshTlsSchema>): MeshTls {
  const { metadata: meta, spec: said } = parsed;
  return {
    kind: 'MeshTLS',
    file,
    metadata: {
      name: meta.name,
      namespace: meta.namespace,
      labels: meta.labels ?? {},
      annotations: meta.annotations ?? {},
    },
    spec: { target: targetOf(said), mode: said.mode, ports: said.ports ?? [] },
    place: {
      name: positionOf(located, ['metadata', 'name']),
      target: positionOf(located, ['spec', said.targetRef === undefined ? 'selector' : 'targetRef']),
      mode: positionOf(located, ['spec', said.mode === undefined ? 'ports' : 'mode']),
    },
  };
}
