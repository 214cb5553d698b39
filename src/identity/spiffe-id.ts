import { err, ok, type Result } from '#runtime';
import { parseTrustDomain } from './trust-domain.ts';

/** A SPIFFE ID that was parsed: frozen, and equal to another exactly when their texts are. */
export interface SpiffeId {
  readonly trustDomain: string;
  /** Empty, or "/" and segments: `/ns/shop/sa/web`. */
  readonly path: string;
  toString(): string;
}

/** SPIFFE-ID 2.3: "SPIFFE implementations MUST NOT generate URIs of length greater than 2048 bytes". */
const LONGEST_ID_BYTES = 2048;
const SCHEME = 'spiffe://';

/**
 * Parses a SPIFFE ID strictly (SPIFFE-ID 2). There is one spelling of an identity: whatever a URI library would
 * normalise (case, percent-encoding, dot segments, empty segments) is an error here, so texts can be compared.
 */
export function parseSpiffeId(text: string): Result<SpiffeId, string> {
  if (Buffer.byteLength(text) > LONGEST_ID_BYTES) {
    return err(`a SPIFFE ID has at most ${LONGEST_ID_BYTES} bytes; this one has ${Buffer.byteLength(text)}`);
  }
  if (!text.startsWith(SCHEME)) return err(`${quote(text)} does not start with "${SCHEME}"`);
  const rest = text.slice(SCHEME.length);
  // Before the split at "/", so that `spiffe://td?x/y` is not read as a strange trust domain.
  for (const [character, name] of [
    ['?', 'query'],
    ['#', 'fragment'],
  ] as const) {
    const at = text.indexOf(character);
    if (at >= 0) return err(`${quote(text)} has a ${name} at character ${at}; a SPIFFE ID has none`);
  }
  const slash = rest.indexOf('/');
  const trustDomain = parseTrustDomain(slash < 0 ? rest : rest.slice(0, slash));
  if (!trustDomain.ok) return err(`${quote(text)}: ${trustDomain.error}`);
  const path = slash < 0 ? '' : rest.slice(slash);
  const problem = pathProblem(path);
  if (problem !== undefined) return err(`${quote(text)}: ${problem}`);
  return ok(new ParsedId(trustDomain.value, path));
}

/** `spiffe://<trust domain>/ns/<namespace>/sa/<service account>`. Throws when a part is no valid segment. */
export function serviceAccountId(trustDomain: string, namespace: string, serviceAccount: string): SpiffeId {
  for (const part of [namespace, serviceAccount]) {
    const problem = pathProblem(`/${part}`);
    if (problem !== undefined || part.includes('/')) {
      throw new Error(`${quote(part)} cannot be part of a SPIFFE ID: ${problem ?? 'it contains "/"'}`);
    }
  }
  const id = parseSpiffeId(`${SCHEME}${trustDomain}/ns/${namespace}/sa/${serviceAccount}`);
  if (!id.ok) throw new Error(id.error);
  return id.value;
}

/** The inverse of `serviceAccountId`; undefined for an ID of another shape. */
export function serviceAccountOf(
  id: SpiffeId,
): { readonly namespace: string; readonly serviceAccount: string } | undefined {
  const match = /^\/ns\/([^/]+)\/sa\/([^/]+)$/.exec(id.path);
  if (match?.[1] === undefined || match[2] === undefined) return undefined;
  return { namespace: match[1], serviceAccount: match[2] };
}

class ParsedId implements SpiffeId {
  readonly trustDomain: string;
  readonly path: string;

  constructor(trustDomain: string, path: string) {
    this.trustDomain = trustDomain;
    this.path = path;
    Object.freeze(this);
  }

  toString(): string {
    return `${SCHEME}${this.trustDomain}${this.path}`;
  }

  toJSON(): string {
    return this.toString();
  }
}

/** SPIFFE-ID 2.2: segments of letters, digits, ".", "-", "_"; none empty, none "." or ".."; no trailing slash. */
function pathProblem(path: string): string | undefined {
  if (path === '') return undefined;
  const segments = path.slice(1).split('/');
  for (const [index, segment] of segments.entries()) {
    const which = `segment ${index + 1} of the path`;
    if (segment === '') {
      return index === segments.length - 1 ? 'the path ends with "/"' : `${which} is empty`;
    }
    if (segment === '.' || segment === '..') return `${which} is ${quote(segment)}`;
    const wrong = segment.search(/[^a-zA-Z0-9._-]/);
    if (wrong >= 0)
      return `${which} has ${quote(segment[wrong] ?? '')}; only a-z, A-Z, 0-9, ".", "-", "_" may be there`;
  }
  return undefined;
}

/** Long or binary input must not flood a log line. */
function quote(text: string): string {
  return JSON.stringify(text.length > 120 ? `${text.slice(0, 120)}...` : text);
}
