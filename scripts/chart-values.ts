import { isMap, isScalar, parseDocument, type YAMLMap } from 'yaml';

/** A value of a chart that a user can set. */
interface ChartValue {
  readonly path: string;
  /** As JSON. */
  readonly otherwise: string;
  readonly description: string;
}

/**
 * The README of a chart's values, from values.yaml: each comment that begins with `-- ` is about the value below it.
 * Throws if one has none.
 */
export function valuesTable(valuesYaml: string): string {
  const document = parseDocument(valuesYaml);
  if (!isMap(document.contents)) throw new Error('values.yaml is no map');
  const rows = valuesOf(document.contents, '', document.commentBefore ?? undefined);
  return [
    '| value | default | |',
    '|---|---|---|',
    ...rows.map(({ path, otherwise, description }) => `| \`${path}\` | \`${otherwise}\` | ${description} |`),
  ].join('\n');
}

function valuesOf(map: YAMLMap, prefix: string, above: string | undefined): ChartValue[] {
  return map.items.flatMap(({ key, value }, index) => {
    if (!isScalar(key)) throw new Error(`a key of ${prefix} is no text`);
    const path = `${prefix}${String(key.value)}`;
    const comment = key.commentBefore ?? (index === 0 ? (map.commentBefore ?? above) : undefined);
    const [, description] = /^\s*-- ([\s\S]*)$/.exec(comment ?? '') ?? [];
    if (description !== undefined) {
      const otherwise = JSON.stringify((value as { toJSON(): unknown }).toJSON());
      return [{ path, otherwise, description: description.replaceAll(/\s+/g, ' ') }];
    }
    if (!isMap(value)) throw new Error(`${path} has no comment that says what it is`);
    return valuesOf(value, `${path}.`, undefined);
  });
}
