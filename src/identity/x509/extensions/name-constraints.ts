import { fromAscii } from '#runtime';
import type { DerReader } from '../der/reader.ts';
import { contextConstructed, contextPrimitive } from '../der/tag.ts';
import { encode, encodeSequence } from '../der/writer.ts';
import { type GeneralName, readGeneralName } from '../general-name.ts';
import { LIMITS } from '../limits.ts';
import { X509Error } from '../problem.ts';

/** RFC 5280 4.2.1.10. An empty list constrains nothing. */
export interface NameConstraints {
  readonly permitted: readonly GeneralName[];
  readonly excluded: readonly GeneralName[];
}

export function readNameConstraints(value: DerReader): NameConstraints {
  const start = value.offset;
  const sequence = value.sequence('nameConstraints');
  const permitted = readSubtrees(sequence, 0, 'permittedSubtrees');
  const excluded = readSubtrees(sequence, 1, 'excludedSubtrees');
  sequence.finish('nameConstraints');
  // RFC 5280 4.2.1.10: "Conforming CAs MUST NOT issue certificates where name constraints is an empty sequence."
  if (permitted.length + excluded.length === 0) throw new X509Error(start, 'nameConstraints is empty');
  return Object.freeze({ permitted, excluded });
}

/** nameConstraints that permit, of all URIs, those with this host. */
export function encodePermittedUriHost(host: string): Uint8Array {
  const subtree = encodeSequence(encode(contextPrimitive(6), fromAscii(host)));
  return encodeSequence(encode(contextConstructed(0), subtree));
}

function readSubtrees(sequence: DerReader, number: number, what: string): readonly GeneralName[] {
  const element = sequence.optional(contextConstructed(number), what);
  if (element === undefined) return [];
  const subtrees = sequence.inside(element);
  const bases: GeneralName[] = [];
  do {
    if (bases.length === LIMITS.generalNames) {
      throw new X509Error(subtrees.offset, `${what} has more than ${LIMITS.generalNames} names`);
    }
    const subtree = subtrees.sequence(what);
    bases.push(readGeneralName(subtree, what));
    // RFC 5280 4.2.1.10: "the minimum MUST be zero, and maximum MUST be absent"; DER leaves out the default zero.
    subtree.finish(`subtree in ${what} (minimum and maximum are not used)`);
  } while (!subtrees.atEnd);
  return Object.freeze(bases);
}
