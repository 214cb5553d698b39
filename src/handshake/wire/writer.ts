import { concat } from '#runtime';

/** Pieces of the TLS presentation language (RFC 8446 3). Values are ours; a value that doesn't fit is a bug and throws. */
export function u8(value: number): Uint8Array {
  return number(value, 1);
}

export function u16(value: number): Uint8Array {
  return number(value, 2);
}

export function u24(value: number): Uint8Array {
  return number(value, 3);
}

export function u32(value: number): Uint8Array {
  return number(value, 4);
}

export function vector8(...parts: readonly Uint8Array[]): Uint8Array {
  const body = concat(...parts);
  return concat(u8(body.length), body);
}

export function vector16(...parts: readonly Uint8Array[]): Uint8Array {
  const body = concat(...parts);
  return concat(u16(body.length), body);
}

export function vector24(...parts: readonly Uint8Array[]): Uint8Array {
  const body = concat(...parts);
  return concat(u24(body.length), body);
}

export function numbers16(values: readonly number[]): Uint8Array {
  return vector16(...values.map(u16));
}

function number(value: number, width: number): Uint8Array {
  if (!Number.isInteger(value) || value < 0 || value >= 256 ** width) {
    throw new RangeError(`${value} does not fit in ${width} bytes`);
  }
  const bytes = new Uint8Array(width);
  let rest = value;
  for (let index = width - 1; index >= 0; index -= 1) {
    bytes[index] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  return bytes;
}
