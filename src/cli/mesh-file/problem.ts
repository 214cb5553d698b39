import { isMap, isNode, isScalar, isSeq, LineCounter, type Node, type ParsedNode, parseDocument } from 'yaml';
import { sayYamlFault } from '#policy';
import { err, ok, printable, type Result } from '#runtime';

/** One mistake in a file. Lines and columns count from 1. */
export interface Problem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly say: string;
}

/** Keys and indexes from the top of the document to a value. */
export type Path = readonly PropertyKey[];

/** A YAML text and the way back from a value in it to the place where it was written. */
export interface Source {
  readonly value: unknown;
  /** The problem at the value that `path` leads to, or at the nearest enclosing one that exists. */
  problem(path: Path, say: string): Problem;
  /** The problem at the last key of `path`. */
  keyProblem(path: Path, say: string): Problem;
}

/** `file:line:column: sentence`, as editors take it. One line, whatever was written in the file. */
export function sayProblem({ file, line, column, say }: Problem): string {
  return `${printable(file)}:${line}:${column}: ${printable(say)}`;
}

/** As they stand in the file. */
export function inOrder(problems: readonly Problem[]): Problem[] {
  return problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
}

/** Reads one YAML 1.2 document. `file` is what problems name. */
export function parseYaml(file: string, text: string): Result<Source, readonly Problem[]> {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false, uniqueKeys: true });
  const at = (offset: number, say: string): Problem => {
    const { line, col } = lineCounter.linePos(offset);
    return { file, line: Math.max(line, 1), column: Math.max(col, 1), say };
  };
  const faults = [...document.errors, ...document.warnings];
  if (faults.length > 0)
    return err(faults.map((fault) => at(fault.pos[0], `not valid YAML: ${sayYamlFault(fault)}`)));

  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: MOST_ALIASES });
  } catch (error) {
    return err([at(0, `not usable YAML: ${(error as Error).message}`)]);
  }
  const source: Source = {
    value,
    problem: (path, say) => at(offsetOf(document.contents, path), say),
    keyProblem: (path, say) => at(keyOffsetOf(document.contents, path), say),
  };
  const lost = pathsTo(UNSAFE_KEY, value).map((path) => source.keyProblem(path, `${UNSAFE_KEY} is no name`));
  return lost.length > 0 ? err(inOrder(lost)) : ok(source);
}

/** In JavaScript not a field like others: schemas leave it out without a word. */
const UNSAFE_KEY = '__proto__';

const MOST_ALIASES = 100;

function offsetOf(root: ParsedNode | null, path: Path): number {
  let node: unknown = root;
  let offset = root?.range[0] ?? 0;
  let keyOffset = offset;
  for (const step of path) {
    const pair = pairOf(node, step);
    node = pair === undefined ? itemOf(node, step) : pair.value;
    // A key without a value has no node of its own, and something missing belongs to the key above it.
    if (isNode(pair?.key)) keyOffset = pair.key.range?.[0] ?? keyOffset;
    if (!isNode(node) || isEmpty(node)) return keyOffset;
    offset = node.range?.[0] ?? offset;
    if (pair === undefined) keyOffset = offset;
  }
  return offset;
}

function isEmpty(node: Node): boolean {
  return node.range?.[0] === node.range?.[1];
}

function keyOffsetOf(root: ParsedNode | null, path: Path): number {
  let node: unknown = root;
  for (const step of path.slice(0, -1)) node = pairOf(node, step)?.value ?? itemOf(node, step);
  const key = pairOf(node, path.at(-1) ?? '')?.key;
  return (isNode(key) ? key.range?.[0] : undefined) ?? offsetOf(root, path);
}

function pairOf(node: unknown, key: PropertyKey): { key: unknown; value: unknown } | undefined {
  if (!isMap(node)) return undefined;
  return node.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === String(key));
}

function itemOf(node: unknown, index: PropertyKey): unknown {
  return isSeq(node) ? node.items[Number(index)] : undefined;
}

/** Where a map has this key. What is reached again by an alias is looked at once. */
function pathsTo(key: string, root: unknown): Path[] {
  const found: Path[] = [];
  const seen = new Set<object>();
  const waiting: { readonly value: unknown; readonly path: Path }[] = [{ value: root, path: [] }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { value, path } = next;
    if (typeof value !== 'object' || value === null || seen.has(value)) continue;
    seen.add(value);
    if (Object.hasOwn(value, key)) found.push([...path, key]);
    for (const [name, inner] of Object.entries(value)) waiting.push({ value: inner, path: [...path, name] });
  }
  return found;
}
