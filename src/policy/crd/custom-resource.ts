import { stringify } from 'yaml';
import type * as z from 'zod';
import { API_VERSION } from '../model.ts';
import { meshPolicySchema } from './mesh-policy.ts';
import { meshTlsSchema } from './mesh-tls.ts';
import { type StructuralSchema, structuralSchema } from './structural-schema.ts';

/** A CustomResourceDefinition (apiextensions.k8s.io/v1) for each kind of policy, as YAML, by the name of its file. */
export function customResourceDefinitions(): Readonly<Record<string, string>> {
  return Object.fromEntries(
    KINDS.map((kind) => [
      `${kind.plural}.yaml`,
      stringify(definitionOf(kind), { lineWidth: 0, aliasDuplicateObjects: false }),
    ]),
  );
}

interface Kind {
  readonly kind: string;
  readonly singular: string;
  readonly plural: string;
  readonly shortNames: readonly string[];
  readonly description: string;
  readonly spec: z.ZodType;
  /** Of the status, besides conditions. */
  readonly observed: Readonly<Record<string, StructuralSchema>>;
  readonly columns: readonly Column[];
}

interface Column {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'boolean' | 'date';
  readonly jsonPath: string;
  readonly description: string;
  /** Above 0: shown by `-o wide` only. */
  readonly priority?: number;
}

const TARGET_COLUMN: Column = {
  name: 'Account',
  type: 'string',
  jsonPath: '.spec.targetRef.name',
  description: 'The service account that it is about; empty: by labels, or the whole namespace.',
};
const ACCEPTED_COLUMN: Column = {
  name: 'Accepted',
  type: 'string',
  jsonPath: '.status.conditions[?(@.type=="Accepted")].status',
  description: 'Whether it is in force as it is written.',
};
const AGE_COLUMN: Column = {
  name: 'Age',
  type: 'date',
  jsonPath: '.metadata.creationTimestamp',
  description: 'Time since it was made.',
};

const TEXT: StructuralSchema = { type: 'string', maxLength: 2048 };
const WHOLE: StructuralSchema = { type: 'integer', format: 'int64', minimum: 0 };
const TIME: StructuralSchema = { type: 'string', format: 'date-time' };

function seen(
  description: string,
  rows: string,
  row: Readonly<Record<string, StructuralSchema>>,
): StructuralSchema {
  const properties = { ...row, workload: TEXT, port: WHOLE, count: WHOLE, lastSeen: TIME };
  return {
    description,
    type: 'object',
    properties: {
      total: WHOLE,
      [rows]: { type: 'array', maxItems: 20, items: { type: 'object', properties } },
    },
  };
}

const WOULD_DENY = seen(
  'Connections that passed and that this policy would have refused: of a Shadow policy. The newest 20 callers.',
  'callers',
  { caller: TEXT, rule: WHOLE },
);
const PLAINTEXT_PEERS = seen(
  'Who spoke plaintext to ports whose mode this object decides. The newest 20.',
  'peers',
  {
    address: TEXT,
    name: TEXT,
  },
);
const READY_FOR_STRICT: StructuralSchema = {
  description: 'Every sidecar that it concerns reports, and none saw plaintext for the quiet period.',
  type: 'boolean',
};

const KINDS: readonly Kind[] = [
  {
    kind: 'MeshPolicy',
    singular: 'meshpolicy',
    plural: 'meshpolicies',
    shortNames: ['mpol'],
    description:
      'Who may call whom. A Deny goes before every Allow; once an Allow selects a workload, only who is allowed gets in.',
    spec: meshPolicySchema.shape.spec,
    observed: { wouldDeny: WOULD_DENY },
    columns: [
      { name: 'Action', type: 'string', jsonPath: '.spec.action', description: 'Allow or Deny.' },
      {
        name: 'Enforcement',
        type: 'string',
        jsonPath: '.spec.enforcement',
        description: 'Enforce or Shadow.',
      },
      TARGET_COLUMN,
      ACCEPTED_COLUMN,
      AGE_COLUMN,
      {
        name: 'Would-Deny',
        type: 'integer',
        jsonPath: '.status.wouldDeny.total',
        description: 'Connections that passed and that it would have refused, were it not Shadow.',
        priority: 1,
      },
    ],
  },
  {
    kind: 'MeshTLS',
    singular: 'meshtls',
    plural: 'meshtlses',
    shortNames: ['mtls'],
    description:
      'Whether ports of workloads ask for mutual TLS. The most specific object wins, and among equals the strictest.',
    spec: meshTlsSchema.shape.spec,
    observed: { plaintextPeers: PLAINTEXT_PEERS, readyForStrict: READY_FOR_STRICT },
    columns: [
      {
        name: 'Mode',
        type: 'string',
        jsonPath: '.spec.mode',
        description: 'Strict, Permissive or Disabled.',
      },
      TARGET_COLUMN,
      ACCEPTED_COLUMN,
      AGE_COLUMN,
      {
        name: 'Plaintext',
        type: 'integer',
        jsonPath: '.status.plaintextPeers.total',
        description: 'Connections in plaintext to ports whose mode it decides.',
        priority: 1,
      },
      {
        name: 'Ready-For-Strict',
        type: 'boolean',
        jsonPath: '.status.readyForStrict',
        description: 'Nobody speaks plaintext to them any more.',
        priority: 1,
      },
    ],
  },
];

function definitionOf({
  kind,
  singular,
  plural,
  shortNames,
  description,
  spec,
  observed,
  columns,
}: Kind): unknown {
  const [group = '', version = ''] = API_VERSION.split('/');
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { kind, singular, plural, listKind: `${kind}List`, shortNames, categories: ['sallyport'] },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: columns,
          schema: {
            openAPIV3Schema: {
              description,
              type: 'object',
              required: ['spec'],
              properties: {
                apiVersion: { type: 'string' },
                kind: { type: 'string' },
                metadata: { type: 'object' },
                spec: { ...structuralSchema(spec), description: 'What is wanted.' },
                status: statusSchema(observed),
              },
            },
          },
        },
      ],
    },
  };
}

/** meta/v1 Condition. */
const CONDITION: StructuralSchema = {
  type: 'object',
  required: ['type', 'status', 'reason', 'message', 'lastTransitionTime'],
  properties: {
    type: { type: 'string', maxLength: 316 },
    status: { type: 'string', enum: ['True', 'False', 'Unknown'] },
    reason: { type: 'string', minLength: 1, maxLength: 1024 },
    message: { type: 'string', maxLength: 32_768 },
    observedGeneration: { type: 'integer', format: 'int64', minimum: 0 },
    lastTransitionTime: { type: 'string', format: 'date-time' },
  },
};

function statusSchema(observed: Readonly<Record<string, StructuralSchema>>): StructuralSchema {
  return {
    description: 'What the controller observed.',
    type: 'object',
    properties: { ...OBSERVED, ...observed },
  };
}

const OBSERVED = {
  observedGeneration: { type: 'integer', format: 'int64' },
  conditions: {
    type: 'array',
    maxItems: 8,
    items: CONDITION,
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['type'],
  },
};
