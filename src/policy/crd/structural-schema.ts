import * as z from 'zod';

/**
 * A schema as a CustomResourceDefinition has it ("structural": apiextensions.k8s.io/v1 JSONSchemaProps), made from the
 * schema that reads files, so that both refuse the same. What zod cannot say stands in a node's `meta`: `pattern`,
 * `maxLength`, `minProperties`, `cel` (rules for what lies between fields) and `listMapKeys`.
 */
export function structuralSchema(schema: z.ZodType): StructuralSchema {
  // `any`: a refinement has no form here; the metadata beside it says as much of it as an API server can check.
  const said = z.toJSONSchema(schema, { io: 'input', target: 'openapi-3.0', unrepresentable: 'any' });
  return convert(said as Said);
}

export interface CelRule {
  /** About `self`, the node that it stands at. */
  readonly rule: string;
  readonly message: string;
  /** The field that is shown as wrong, from `self`: `.rules`. */
  readonly fieldPath?: string;
}

/** Plain data, to be written as YAML. */
export interface StructuralSchema {
  readonly [key: string]: unknown;
  readonly type: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, StructuralSchema>>;
}

interface Said {
  readonly [key: string]: unknown;
  readonly type: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Said>>;
  readonly items?: Said;
  readonly additionalProperties?: Said | boolean;
  readonly cel?: readonly CelRule[];
  readonly hints?: Readonly<Record<string, string>>;
  readonly listMapKeys?: readonly string[];
}

function convert(said: Said): StructuralSchema {
  const { type, description, properties, items, additionalProperties, cel = [], ...rest } = said;
  const { hints = {}, listMapKeys, $schema: _, ...facets } = rest;
  const rules = [...cel, ...Object.entries(hints).map(refusalOf)];
  return {
    ...(description === undefined ? {} : { description }),
    type,
    ...facets,
    ...(properties === undefined ? {} : { properties: { ...convertAll(properties), ...refused(hints) } }),
    ...(items === undefined ? {} : { items: convert(items), ...listOf(items, listMapKeys) }),
    // "false" would be said of every object: fields that nobody knows are pruned, or refused by strict validation.
    ...(typeof additionalProperties === 'object'
      ? { additionalProperties: convert(additionalProperties) }
      : {}),
    ...(rules.length === 0 ? {} : { 'x-kubernetes-validations': rules }),
  };
}

function convertAll(properties: Readonly<Record<string, Said>>): Record<string, StructuralSchema> {
  return Object.fromEntries(Object.entries(properties).map(([name, said]) => [name, convert(said)]));
}

/**
 * Fields of other meshes, and of those to come. An API server drops a field that it doesn't know, and a rule without its
 * `methods` would let in more than was written; so they are known, in order to be refused with what to write instead.
 */
function refused(hints: Readonly<Record<string, string>>): Record<string, StructuralSchema> {
  return Object.fromEntries(
    Object.entries(hints).map(([name, hint]) => [
      name,
      { description: `Refused: it ${hint}.`, ...shapeOf(name) },
    ]),
  );
}

function refusalOf([name, hint]: [string, string]): CelRule {
  return { rule: `!has(self.${name})`, message: hint, fieldPath: `.${name}` };
}

/** What a refused field is elsewhere: a rule can only ask for a field whose type is told. */
function shapeOf(name: string): StructuralSchema {
  if (OBJECTS.has(name)) return ANY_OBJECT;
  if (WORDS.has(name)) return { type: 'string' };
  if (NUMBERS.has(name)) return { type: 'array', items: { type: 'integer' } };
  return { type: 'array', items: OBJECT_LISTS.has(name) ? ANY_OBJECT : { type: 'string' } };
}

const OBJECTS = new Set([
  'earlyData',
  'grpc',
  'mtls',
  'operation',
  'podSelector',
  'portLevelMtls',
  'profile',
  'source',
  'workloadSelector',
]);
const OBJECT_LISTS = new Set(['headers', 'matchExpressions', 'rules', 'targetRefs', 'when']);
const NUMBERS = new Set(['interopPorts', 'notPorts', 'ports']);
const WORDS = new Set(['minVersion', 'mode', 'namespace', 'resumption']);
const ANY_OBJECT = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };

/** Lists of plain values are sets, and the API server refuses a value that stands in one twice. */
function listOf(items: Said, mapKeys: readonly string[] | undefined): Record<string, unknown> {
  if (mapKeys !== undefined)
    return { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': mapKeys };
  return { 'x-kubernetes-list-type': items.type === 'object' ? 'atomic' : 'set' };
}
