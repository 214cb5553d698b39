/** Identifier octets used by certificates and requests (X.690 8.1.2, RFC 5280 appendix A), class and form included. */
export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  objectIdentifier: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  printableString: 0x13,
  teletexString: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  universalString: 0x1c,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const;

const CONTEXT = 0x80;
const CONSTRUCTED = 0x20;

/** Context-specific tag [number] of a primitive value (IMPLICIT over a primitive type). */
export function contextPrimitive(number: number): number {
  return CONTEXT | number;
}

/** Context-specific tag [number] of a constructed value (EXPLICIT, or IMPLICIT over SEQUENCE). */
export function contextConstructed(number: number): number {
  return CONTEXT | CONSTRUCTED | number;
}

const NAMES = new Map<number, string>(Object.entries(TAG).map(([name, tag]) => [tag, name]));

/** For messages: `integer (0x02)`. */
export function tagText(tag: number): string {
  const hex = `0x${tag.toString(16).padStart(2, '0')}`;
  const name = NAMES.get(tag);
  return name === undefined ? `tag ${hex}` : `${name} (${hex})`;
}
