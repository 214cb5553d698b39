import { err, ok, type Result } from '#runtime';

/** SPIFFE-ID 2.3: "the trust domain portion ... must not exceed 255 bytes". */
const LONGEST_TRUST_DOMAIN_BYTES = 255;

/**
 * A trust domain name as SPIFFE-ID 2.1 has it: lower-case letters, digits, dots, dashes and underscores; no port, no
 * user information, no percent-encoding. The error says what is wrong and at which character (counted from 0).
 */
export function parseTrustDomain(text: string): Result<string, string> {
  if (text === '') return err('the trust domain is empty');
  if (text.length > LONGEST_TRUST_DOMAIN_BYTES) {
    return err(
      `the trust domain has ${text.length} characters; at most ${LONGEST_TRUST_DOMAIN_BYTES} are allowed`,
    );
  }
  const wrong = text.search(/[^a-z0-9._-]/);
  if (wrong >= 0) {
    const advice = adviceFor(text[wrong] ?? '');
    return err(`character ${wrong} of the trust domain is ${JSON.stringify(text[wrong])}${advice}`);
  }
  return ok(text);
}

function adviceFor(character: string): string {
  if (/[A-Z]/.test(character)) return '; trust domains are lower-case';
  if (character === ':') return '; a trust domain has no port';
  if (character === '@') return '; a trust domain has no user information';
  if (character === '%') return '; percent-encoding is not allowed';
  return '; only a-z, 0-9, ".", "-" and "_" are allowed';
}
