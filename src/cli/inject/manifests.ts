import { type Document, isAlias, isMap, isSeq, type Node, parseAllDocuments, visit } from 'yaml';
import { podTemplatePath } from '#controller/injection';
import { err, ok, type Result } from '#runtime';

/** An object in which something stands that makes pods. */
interface Workload {
  /** As people call it: `Deployment shop/web`. */
  readonly name: string;
  /** The pod or its template. */
  readonly template: unknown;
}

/** What becomes of a workload's template; undefined: it stays. The error is for people. */
type Change = (workload: Workload) => Result<unknown, readonly string[]> | undefined;

/**
 * Changes the pod templates of manifests: YAML or JSON, many documents, Lists. Comments stay where they are. The error
 * holds every mistake; then nothing was changed.
 */
export function changeManifests(text: string, change: Change): Result<string, readonly string[]> {
  const documents = parseAllDocuments(text, { prettyErrors: true, uniqueKeys: true });
  if ('empty' in documents) return err(['there is no object in it']);
  const faults = documents.flatMap(({ errors }) => errors.map(({ message }) => `not valid YAML: ${message}`));
  if (faults.length > 0) return err(faults);
  const mistakes = documents.flatMap((document) => changeDocument(document, change));
  if (mistakes.length > 0) return err(mistakes);
  return ok(documents.map((document) => document.toString({ lineWidth: 0 })).join(''));
}

/** Of YAML's aliases, so that a small file doesn't become a large one. */
const MOST_ALIASES = 100;
/** What is the same object here is written out in each place. */
const PLAIN = { aliasDuplicateObjects: false };

function changeDocument(document: Document.Parsed, change: Change): readonly string[] {
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: MOST_ALIASES });
  } catch (error) {
    return [`not usable YAML: ${(error as Error).message}`];
  }
  const mistakes: string[] = [];
  const changed = changeObject(value, change, mistakes);
  if (mistakes.length > 0 || changed === value) return mistakes;
  // What an anchor names stands in two places, of which one may be to stay as it is.
  document.contents = (
    hasAliases(document)
      ? document.createNode(changed, PLAIN)
      : merge(document, document.contents, value, changed)
  ) as typeof document.contents;
  return [];
}

/** The same object where nothing changed. */
function changeObject(object: unknown, change: Change, mistakes: string[]): unknown {
  const { kind, items } = (object ?? {}) as { kind?: unknown; items?: unknown };
  if (typeof kind === 'string' && kind.endsWith('List') && Array.isArray(items)) {
    const changed = items.map((item) => changeObject(item, change, mistakes));
    return changed.every((item, index) => item === items[index])
      ? object
      : { ...(object as object), items: changed };
  }
  const path = podTemplatePath(object);
  if (path === undefined) return object;
  const done = change({ name: nameOf(object), template: at(object, path) });
  if (done === undefined) return object;
  if (done.ok) return replaced(object, path, done.value);
  mistakes.push(...done.error);
  return object;
}

function nameOf(object: unknown): string {
  const { kind, metadata } = object as {
    kind: string;
    metadata?: { name?: string; generateName?: string; namespace?: string };
  };
  const { name, generateName = '(without a name)', namespace } = metadata ?? {};
  const own = name ?? generateName;
  return `${kind} ${namespace === undefined ? own : `${namespace}/${own}`}`;
}

function at(object: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, key) => (value as Record<string, unknown> | null | undefined)?.[key],
    object,
  );
}

function replaced(object: unknown, [key, ...rest]: readonly string[], value: unknown): unknown {
  if (key === undefined) return value;
  const fields = object as Record<string, unknown>;
  return { ...fields, [key]: replaced(fields[key], rest, value) };
}

function hasAliases(document: Document): boolean {
  let found = false;
  visit(document, {
    Alias: () => {
      found = true;
      return visit.BREAK;
    },
  });
  return found;
}

/** The node of `before`, changed where `after` differs, so that what else was written there stays. */
function merge(document: Document, node: unknown, before: unknown, after: unknown): unknown {
  if (before === after) return node;
  if (isMap(node) && isObject(before) && isObject(after)) {
    for (const key of Object.keys(before)) if (!Object.hasOwn(after, key)) node.delete(key);
    for (const key of Object.keys(after)) {
      node.set(key, merge(document, node.get(key, true), before[key], after[key]));
    }
    return node;
  }
  if (isSeq(node) && Array.isArray(before) && Array.isArray(after)) {
    const counterpart = counterpartIn(before, after);
    const [first] = node.items;
    // What stands above the first item is kept by the list, and is about the item.
    if (isMap(first) && !first.commentBefore && node.commentBefore) {
      first.commentBefore = node.commentBefore;
      node.commentBefore = null;
    }
    node.items = after.map((item, index) => {
      const old = counterpart(item, index);
      return merge(document, node.items[old], before[old], item);
    }) as Node[];
    return node;
  }
  return document.createNode(after, PLAIN);
}

/** Where an item of the new list stood in the old one: by its name, if all have one, else by its place. -1: nowhere. */
function counterpartIn(
  before: readonly unknown[],
  after: readonly unknown[],
): (item: unknown, index: number) => number {
  const named = [...before, ...after].every((item) => isObject(item) && typeof item.name === 'string');
  if (!named) return (_, index) => (index < before.length ? index : -1);
  const names = before.map((item) => (item as { name: string }).name);
  return (item) => names.indexOf((item as { name: string }).name);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isAlias(value);
}
