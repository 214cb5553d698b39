/** One DER value as PEM (RFC 7468), lines of 64 characters. */
export function encodePem(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

/** The inverse, for text that `encodePem` wrote: exactly one value, nothing around it. undefined for anything else. */
export function decodePem(label: string, text: string): Uint8Array | undefined {
  const base64 = /^-----BEGIN ([A-Z0-9 ]+)-----\n([A-Za-z0-9+/=\n]+)\n-----END \1-----\n$/.exec(text);
  if (base64?.[1] !== label || base64[2] === undefined) return undefined;
  const der = new Uint8Array(Buffer.from(base64[2], 'base64'));
  return encodePem(label, der) === text ? der : undefined;
}
