import { isAlias, isMap, isScalar, isSeq, type Node } from 'yaml';
import { LIMITS } from '../limits.ts';
import type { Position } from '../model.ts';
import { type ParsedYaml, parseYaml, TOO_DEEP } from './parse.ts';
import { type PolicyProblem, problemAt } from './problem.ts';
import { sayYamlFault } from './yaml-fault.ts';

/** A YAML value, with where it and its parts stand. */
export interface Located {
  readonly value: unknown;
  readonly position: Position;
  /** Of a mapping: by key, where the key stands and what it has. */
  readonly fields: ReadonlyMap<string, { readonly position: Position; readonly located: Located }>;
  readonly items: readonly Located[];
  /** Column of a list's dashes; undefined for `[a, b]` and for anything that is no list. */
  readonly itemColumn: number | undefined;
}

/**
 * Reads the YAML documents of one file. What readers of YAML 1.1 (kubectl) and 1.2 would take differently, and what has
 * no place in a Kubernetes object (merge keys, tags, duplicate keys), is a mistake. Empty documents are left out.
 */
export function readYaml(
  file: string,
  text: string,
): { readonly documents: readonly Located[]; readonly problems: readonly PolicyProblem[] } {
  const whole = (message: string, position?: Position) => ({
    documents: [],
    problems: [problemAt(file, position, message)],
  });
  let parsed: ParsedYaml;
  try {
    parsed = parseYaml(text);
  } catch (error) {
    // The parser reports what it finds; should it throw after all, a watcher must not end by it.
    return whole(`cannot be read as YAML: ${String(error)}`);
  }
  const at = (offset: number): Position => {
    const { line, col } = parsed.lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const { excess } = parsed;
  if (excess !== undefined)
    return whole(excess.message, excess.offset === undefined ? undefined : at(excess.offset));
  const reading: Reading = { file, at, problems: [], values: 0 };
  const documents: Located[] = [];
  for (const document of parsed.documents) {
    const { version, explicit } = document.directives.yaml;
    if (explicit && version !== '1.2') {
      const message = `%YAML ${version} is not supported; leave the directive out`;
      refuse(reading, { line: 1, column: 1 }, message);
    }
    const wrong = [...document.errors, ...document.warnings];
    for (const error of wrong.slice(0, ENOUGH)) refuse(reading, at(error.pos[0]), sayYamlFault(error));
    // A document that isn't YAML has no reliable tree: its other mistakes show once this one is gone.
    if (wrong.length > 0 || document.contents === null) continue;
    if (isScalar(document.contents) && document.contents.value === null) continue;
    documents.push(new Locator(reading).locate(document.contents));
    // What was left out would be missed in every document after this one.
    if (reading.values > LIMITS.valuesPerFile) return { documents: [], problems: reading.problems };
  }
  return { documents, problems: reading.problems };
}

/** One more than is shown, so that the reader can say that there are more. */
const ENOUGH = LIMITS.problemsPerFile + 1;

/** What the documents of one file share. */
interface Reading {
  readonly file: string;
  readonly at: (offset: number) => Position;
  readonly problems: PolicyProblem[];
  values: number;
}

function refuse({ file, problems }: Reading, position: Position, message: string): void {
  if (problems.length < ENOUGH) problems.push(problemAt(file, position, message));
}

/** Walks one document, bounded in depth, values and aliases, so that a small file cannot become a large one. */
class Locator {
  readonly #reading: Reading;
  readonly #open = new Set<Node>();
  readonly #said = new Set<string>();
  /** The newest node of each name so far: an alias means the last one before it. */
  readonly #anchors = new Map<string, Node>();
  #aliases = 0;

  constructor(reading: Reading) {
    this.#reading = reading;
  }

  /** `place` is where a value stands that an alias brought in: mistakes are shown there, not at the anchor. */
  locate(node: Node, place?: Position): Located {
    const position = place ?? this.#reading.at(node.range?.[0] ?? 0);
    if (isAlias(node)) {
      this.#aliases += 1;
      if (this.#aliases > LIMITS.aliasesPerDocument) {
        return this.#refuseOnce(
          'aliases',
          position,
          `has more than ${LIMITS.aliasesPerDocument} aliases in one document`,
        );
      }
      const target = this.#anchors.get(node.source);
      if (target === undefined)
        return this.#refuse(position, `the alias *${node.source} has no anchor before it`);
      return this.locate(target, position);
    }
    this.#anchor(node, place);
    if (this.#open.has(node)) return this.#refuse(position, 'an alias stands inside its own anchor');
    if (this.#open.size >= LIMITS.depth) return this.#refuse(position, TOO_DEEP);
    this.#reading.values += 1;
    if (this.#reading.values > LIMITS.valuesPerFile) {
      const message = `brings the file over ${LIMITS.valuesPerFile} values, each alias counted as what it stands for`;
      return this.#refuseOnce('values', position, message);
    }
    this.#open.add(node);
    const located = this.#inside(node, position, place);
    this.#open.delete(node);
    return located;
  }

  /** Not where an alias brought the node in: its anchor was seen when it stood there itself. */
  #anchor(node: Node, place: Position | undefined): void {
    const { anchor } = node as { readonly anchor?: string };
    if (place === undefined && anchor !== undefined) this.#anchors.set(anchor, node);
  }

  #inside(node: Node, position: Position, place: Position | undefined): Located {
    if (isMap(node)) return this.#mapping(node.items as readonly YamlPair[], position, place);
    if (isSeq(node)) {
      const items = (node.items as readonly Node[]).map((item) => this.locate(item, place));
      const itemColumn = node.flow === true ? undefined : this.#reading.at(node.range?.[0] ?? 0).column;
      return { value: items.map(({ value }) => value), position, fields: NO_FIELDS, items, itemColumn };
    }
    if (!isScalar(node)) return this.#refuse(position, 'is not a value that can be read');
    this.#checkScalar(node.value, node.type === 'PLAIN' ? node.source : undefined, position);
    return leaf(node.value, position);
  }

  #mapping(pairs: readonly YamlPair[], position: Position, place: Position | undefined): Located {
    const fields = new Map<string, { position: Position; located: Located }>();
    for (const { key: node, value } of pairs) {
      if (!isScalar(node) || typeof node.value !== 'string') {
        this.#refuse(position, 'has a key that is not text');
        continue;
      }
      this.#anchor(node, place);
      const key = node.value;
      const keyPosition = place ?? this.#reading.at(node.range?.[0] ?? 0);
      const before = fields.get(key);
      if (before !== undefined) {
        const { line, column } = before.position;
        this.#refuse(
          keyPosition,
          `the key ${JSON.stringify(key)} stands here a second time; first at ${line}:${column}`,
        );
      } else if (key === '<<') {
        this.#refuse(keyPosition, 'merge keys (<<) are not supported: kubectl would send them as they are');
      } else if (key === '__proto__') {
        this.#refuse(keyPosition, 'the key "__proto__" is not allowed');
      } else {
        const located = value === null ? leaf(null, keyPosition) : this.locate(value, place);
        fields.set(key, { position: keyPosition, located });
      }
    }
    const entries = [...fields].map(([key, { located }]) => [key, located.value] as const);
    return { value: Object.fromEntries(entries), position, fields, items: [], itemColumn: undefined };
  }

  /** kubectl reads YAML 1.1, in which `no` is false and 0777 is octal. */
  #checkScalar(value: unknown, plain: string | undefined, position: Position): void {
    if (plain === undefined) return;
    if (typeof value === 'string' && YAML_1_1_BOOLEANS.has(plain.toLowerCase())) {
      this.#refuse(
        position,
        `${plain} without quotes is a boolean to kubectl; write "${plain}" if text is meant`,
      );
    }
    if (
      typeof value === 'number' &&
      plain.length > 1 &&
      plain.startsWith('0') &&
      !NOT_OCTAL.has(plain[1] ?? '')
    ) {
      this.#refuse(
        position,
        `the number ${plain} starts with 0, which some readers take for octal; leave the 0 out`,
      );
    }
  }

  #refuseOnce(what: string, position: Position, message: string): Located {
    if (this.#said.has(what)) return leaf(undefined, position);
    this.#said.add(what);
    return this.#refuse(position, message);
  }

  #refuse(position: Position, message: string): Located {
    refuse(this.#reading, position, message);
    return leaf(undefined, position);
  }
}

interface YamlPair {
  readonly key: Node;
  readonly value: Node | null;
}

const NO_FIELDS: Located['fields'] = new Map();
const YAML_1_1_BOOLEANS = new Set(['yes', 'no', 'on', 'off']);
const NOT_OCTAL = new Set(['.', 'x', 'e', 'E']);

function leaf(value: unknown, position: Position): Located {
  return { value, position, fields: NO_FIELDS, items: [], itemColumn: undefined };
}
