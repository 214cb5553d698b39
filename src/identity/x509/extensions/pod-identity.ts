import type { DerReader } from '../der/reader.ts';
import { contextPrimitive } from '../der/tag.ts';
import { encode, encodeSequence } from '../der/writer.ts';
import { X509Error } from '../problem.ts';

/**
 * Which pod a certificate was issued to: the PodIdentity extension of Kubernetes (KEP-4317, "X.509 PodIdentity
 * Extension"), never critical here. Texts are empty where the issuer did not know.
 */
export interface PodIdentity {
  readonly namespace: string;
  readonly namespaceUid: string;
  readonly serviceAccountName: string;
  readonly serviceAccountUid: string;
  readonly podName: string;
  readonly podUid: string;
  readonly nodeName: string;
  readonly nodeUid: string;
}

/** Field n has the context-specific tag [n]. */
const FIELDS = [
  'namespace',
  'namespaceUid',
  'serviceAccountName',
  'serviceAccountUid',
  'podName',
  'podUid',
  'nodeName',
  'nodeUid',
] as const satisfies readonly (keyof PodIdentity)[];

/** Names and UIDs of Kubernetes have at most 253 characters. */
const LONGEST_TEXT = 253;
/** What Kubernetes makes names and UIDs of (RFC 1123 subdomains, and UIDs by the same letters). */
const TEXT = /^[A-Za-z0-9._:-]*$/;

export function readPodIdentity(value: DerReader): PodIdentity {
  const sequence = value.sequence('podIdentity');
  const texts = FIELDS.map((field, number) => {
    const start = sequence.offset;
    const contents = sequence.contents(sequence.expect(contextPrimitive(number), `podIdentity ${field}`));
    const text = Buffer.from(contents).toString('latin1');
    if (text.length > LONGEST_TEXT || !TEXT.test(text)) {
      throw new X509Error(start, `podIdentity ${field} is no name or UID of Kubernetes`);
    }
    return [field, text] as const;
  });
  sequence.finish('podIdentity');
  return Object.freeze(Object.fromEntries(texts)) as unknown as PodIdentity;
}

/** Throws for a text that `readPodIdentity` would refuse. */
export function encodePodIdentity(pod: PodIdentity): Uint8Array {
  const fields = FIELDS.map((field, number) => {
    const text = pod[field];
    if (text.length > LONGEST_TEXT || !TEXT.test(text))
      throw new Error(`podIdentity ${field} has another form`);
    return encode(contextPrimitive(number), Buffer.from(text, 'latin1'));
  });
  return encodeSequence(...fields);
}
