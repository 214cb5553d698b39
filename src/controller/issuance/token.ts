import { err, ok, type Result } from '#runtime';

/** What a token says of itself. Believed only once Kubernetes has confirmed the token. */
export interface TokenClaims {
  readonly audiences: readonly string[];
  /** Milliseconds since the Unix epoch. */
  readonly expiresAt: number;
}

/** Reads the claims of a JSON Web Token (RFC 7519 3) without judging its signature. */
export function readClaims(token: string): Result<TokenClaims, string> {
  const parts = token.split('.');
  if (parts.length !== 3 || !parts.every((part) => /^[A-Za-z0-9_-]+$/.test(part))) {
    return err('it is no JSON Web Token');
  }
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(parts[1] ?? '', 'base64url').toString());
  } catch {
    return err('its claims are no JSON');
  }
  if (typeof json !== 'object' || json === null) return err('its claims are no object');
  const { aud, exp } = json as { readonly aud?: unknown; readonly exp?: unknown };
  const audiences = (Array.isArray(aud) ? aud : [aud]).filter((one) => typeof one === 'string');
  if (typeof exp !== 'number' || !Number.isFinite(exp)) return err('it has no end (exp)');
  return ok({ audiences, expiresAt: exp * 1000 });
}
