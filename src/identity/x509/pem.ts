import { err, ok, type Result } from '#runtime';

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

/**
 * The certificates of a text that others wrote (RFC 7468): any number, with lines of explanation around them as tools
 * put them there. The error says what is wrong; values that are no certificates, above all keys, are errors too.
 */
export function decodeCertificates(text: string): Result<readonly Uint8Array[], string> {
  return decodePemBlocks('CERTIFICATE', text);
}

/** The same for values of another label: `X509 CRL`. */
export function decodePemBlocks(wanted: string, text: string): Result<readonly Uint8Array[], string> {
  const values: Uint8Array[] = [];
  for (const [index, found] of [...text.matchAll(BLOCK)].entries()) {
    const [, label, body = ''] = found;
    if (label !== wanted) return err(`block ${index + 1} is ${label}, not ${wanted}`);
    const base64 = body.replace(/\s+/g, '');
    const der = new Uint8Array(Buffer.from(base64, 'base64'));
    // Buffer passes over what is no base64.
    if (Buffer.from(der).toString('base64') !== base64) return err(`block ${index + 1} is not base64`);
    values.push(der);
  }
  const begun = text.match(/-----BEGIN /g)?.length ?? 0;
  if (begun !== values.length) return err(`block ${values.length + 1} has no end`);
  if (begun === 0) return err(`there is no "-----BEGIN ${wanted}-----" in it`);
  return ok(values);
}

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----\r?\n([^-]*)-----END \1-----/g;
