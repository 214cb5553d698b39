import { createHash } from 'node:crypto';
import { err, ok, type Result } from '#runtime';

/** The one file that says which certificates and keys are in force. Every transition replaces it whole. */
export const STATE_FILE = 'state.json';

/** Serial numbers stand for pairs of files: `<role>-<serial>.certificate.pem` and `.key.pem`. */
export interface AuthorityState {
  readonly trustDomain: string;
  /** Grows by one with each transition. */
  readonly generation: number;
  /** `creating`: written ahead of the first keys; nothing was issued yet. */
  readonly phase: 'creating' | 'ready';
  readonly root: string | null;
  readonly current: string | null;
  readonly next: string | null;
  /** SHA-256, hexadecimal, of each file in force. */
  readonly files: Readonly<Record<string, string>>;
}

const FORMAT = 1;
const SERIAL = /^[0-9a-f]{2,40}$/;

export function encodeState(state: AuthorityState): string {
  const body = canonical(state);
  return `${JSON.stringify({ ...body, checksum: sha256(JSON.stringify(body)) }, null, 2)}\n`;
}

/** The error says what is wrong with the text; the caller knows the file. */
export function decodeState(text: string): Result<AuthorityState, string> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return err('it is not JSON: it was cut off or edited');
  }
  if (typeof json !== 'object' || json === null) return err('it is not a JSON object');
  const fields = json as Record<string, unknown>;
  if (fields.format !== FORMAT) {
    return err(`it has format ${JSON.stringify(fields.format)}; this version reads format ${FORMAT}`);
  }
  const state = fields as unknown as AuthorityState & { checksum: unknown };
  const shaped =
    typeof state.trustDomain === 'string' &&
    Number.isSafeInteger(state.generation) &&
    (state.phase === 'creating' || state.phase === 'ready') &&
    [state.root, state.current, state.next].every(
      (serial: unknown) => serial === null || (typeof serial === 'string' && SERIAL.test(serial)),
    ) &&
    typeof state.files === 'object' &&
    state.files !== null &&
    (state.phase === 'creating' || (state.root !== null && state.current !== null));
  if (!shaped) return err('a field is missing or has another type');
  const body = canonical(state);
  if (state.checksum !== sha256(JSON.stringify(body)))
    return err('its checksum does not fit: it was edited or damaged');
  const { format: _, ...decoded } = body;
  return ok(Object.freeze(decoded));
}

export function sha256(contents: string): string {
  return createHash('sha256').update(contents).digest('hex');
}

/** Field by field, in one order: the checksum is over this form. */
function canonical(state: AuthorityState): AuthorityState & { readonly format: number } {
  const files = Object.entries(state.files).sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    format: FORMAT,
    trustDomain: state.trustDomain,
    generation: state.generation,
    phase: state.phase,
    root: state.root,
    current: state.current,
    next: state.next,
    files: Object.fromEntries(files),
  };
}
