import type { ListPlace, Position } from '../model.ts';
import type { Located } from './yaml.ts';

export type FieldPath = readonly (string | number)[];

/** Where a field stands: its key if it is there, else the nearest thing around it that is. */
export function positionOf(root: Located, path: FieldPath): Position {
  let { position } = root;
  let at: Located | undefined = root;
  for (const step of path) {
    if (at === undefined) break;
    if (typeof step === 'number') {
      at = at.items[step];
      if (at !== undefined) position = at.position;
      continue;
    }
    const field: { readonly position: Position; readonly located: Located } | undefined = at.fields.get(step);
    if (field !== undefined) position = field.position;
    at = field?.located;
  }
  return position;
}

/** Where a list's key stands and how its items are written. */
export function listPlace(root: Located, path: FieldPath): ListPlace {
  return { ...positionOf(root, path), itemColumn: valueAt(root, path)?.itemColumn };
}

/** The value at `path` as it was written; undefined when it isn't there. */
export function valueAt(root: Located, path: FieldPath): Located | undefined {
  let at: Located | undefined = root;
  for (const step of path) at = typeof step === 'number' ? at?.items[step] : at?.fields.get(step)?.located;
  return at;
}

/** `spec.rules[0].from`. */
export function formatPath(path: FieldPath): string {
  return path
    .map((step, index) => {
      if (typeof step === 'number') return `[${step}]`;
      return index === 0 ? step : `.${step}`;
    })
    .join('');
}
