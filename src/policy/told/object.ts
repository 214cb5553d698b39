import { createHash } from 'node:crypto';
import { printable } from '#runtime';
import { checkDocuments } from '../compile/check.ts';
import { readDocuments } from '../crd/document.ts';
import type { PolicyProblem } from '../crd/problem.ts';
import { API_VERSION, IN_CLUSTER, type PolicyContext, type PolicyDocument } from '../model.ts';

/** The part of an object of the API server that policies are read from. */
export interface PolicyObject {
  readonly kind: 'MeshPolicy' | 'MeshTLS';
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec?: unknown;
}

/** One object as it is read, and as it goes from a controller to sidecars. */
export interface ToldObject {
  /** `MeshPolicy shop/orders`. */
  readonly key: string;
  readonly text: string;
  readonly document: PolicyDocument;
  /** SHA-256 over key and text, hex: the same wherever it is worked out. */
  readonly hash: string;
}

export interface ReadObject {
  /** Undefined: it has a mistake. */
  readonly told: ToldObject | undefined;
  readonly problems: readonly PolicyProblem[];
}

export function keyOf({ kind, metadata: { name, namespace = '' } }: PolicyObject): string {
  return `${kind} ${namespace}/${name}`;
}

/** Reads an object as a file with nothing else in it would be read: the same bounds, the same mistakes. */
export function readObject(object: PolicyObject, context: PolicyContext): ReadObject {
  const { kind, metadata, spec } = object;
  const { name, namespace } = metadata;
  const text = JSON.stringify({ apiVersion: API_VERSION, kind, metadata: { name, namespace }, spec });
  return readText(keyOf(object), text, context);
}

/** Reads what a controller told under `key`. */
export function readText(key: string, text: string, context: PolicyContext): ReadObject {
  const { documents, problems: found } = readDocuments(IN_CLUSTER, text);
  const problems = [...found, ...checkDocuments(documents, context)];
  const [document] = documents;
  const isGood = document !== undefined && documents.length === 1 && keyOf(document) === key;
  if (problems.some(({ severity }) => severity === 'error') || !isGood)
    return { told: undefined, problems: isGood || problems.length > 0 ? problems : [notUnder(key)] };
  return { told: Object.freeze({ key, text, document, hash: hashOf(key, text) }), problems };
}

function notUnder(key: string): PolicyProblem {
  const message = `is not the one object ${printable(key)}`;
  const nowhere = { line: undefined, column: undefined, document: undefined, field: undefined };
  return { severity: 'error', file: IN_CLUSTER, ...nowhere, message };
}

/** Of what a text says under a key. A key has a line of its own, so that no two pairs give the same bytes. */
export function hashOf(key: string, text: string): string {
  return createHash('sha256')
    .update(`${JSON.stringify(key)}\n${text}`)
    .digest('hex');
}
