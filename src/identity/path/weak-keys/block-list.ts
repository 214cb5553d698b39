import { createHash } from 'node:crypto';
import { err, ok, type Result, toHex } from '#runtime';

/** RSA keys that are known by name, so to say: those that Debian's OpenSSL made from 2006 to 2008 (CVE-2008-0166). */
export interface WeakKeyList {
  readonly size: number;
  /** `modulus` is big-endian without leading zeros. */
  has(modulus: Uint8Array): boolean;
}

/**
 * Reads the format of Debian's package openssl-blacklist (files blacklist.RSA-2048 and so on, which can be put one
 * after the other): a line is the last 20 hexadecimal digits of the SHA-1 of `Modulus=<upper-case hexadecimal>` and a
 * line feed, which is what `openssl rsa -modulus` prints. Empty lines and lines that begin with "#" say nothing. All
 * mistakes are in the error, at most 20 of them, each with its line.
 */
export function parseWeakKeyList(text: string): Result<WeakKeyList, readonly string[]> {
  const digests = new Set<string>();
  const problems: string[] = [];
  let line = 0;
  for (const raw of text.split('\n')) {
    line += 1;
    const entry = raw.trim().toLowerCase();
    if (entry === '' || entry.startsWith('#')) continue;
    if (/^[0-9a-f]{20}$/.test(entry)) digests.add(entry);
    else if (problems.length < MOST_PROBLEMS) problems.push(`line ${line} is not 20 hexadecimal digits`);
  }
  if (problems.length > 0) return err(problems);
  if (digests.size === 0) return err(['the list has no entries']);
  return ok({ size: digests.size, has: (modulus) => digests.has(weakKeyDigest(modulus)) });
}

const MOST_PROBLEMS = 20;

/** An entry of the list, for a modulus. SHA-1 only because the list is made of it. */
export function weakKeyDigest(modulus: Uint8Array): string {
  const text = `Modulus=${toHex(modulus).toUpperCase()}\n`;
  return createHash('sha1').update(text, 'latin1').digest('hex').slice(-20);
}
