import { type Clock, type Log, type ReadableWatch, type Scope, sleep, Watch } from '#runtime';
import type { StateDocument, VersionedText } from '../ca/index.ts';
import type { Revocation } from './revocation.ts';

/** What was revoked is known to every replica this much later at most. */
const POLL_MILLISECONDS = 5000;
/** Most entries; a pod's or a certificate's end by themselves. */
const MOST = 5000;
/** A pod's UID or a serial is of no use once its last certificate has ended: a day of renewals, and a day of life. */
const KEPT_MILLISECONDS = 2 * 24 * 3_600_000;
const ATTEMPTS = 10;

export interface RevocationsConfig {
  readonly document: StateDocument;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * The revoked set of an authority, in a document beside its keys, so that who revokes needs no access to those. What
 * cannot be read leaves the last set in force, and at the start keeps the authority from starting.
 */
export class Revocations {
  readonly #config: RevocationsConfig;
  readonly #value: Watch<readonly Revocation[]>;
  #read: VersionedText | undefined;

  private constructor(config: RevocationsConfig, read: VersionedText | undefined) {
    this.#config = config;
    this.#read = read;
    this.#value = new Watch(read === undefined ? [] : decode(read.text, config.document.place));
  }

  static async open(config: RevocationsConfig): Promise<Revocations> {
    return new Revocations(config, await config.document.read());
  }

  /** Likewise, and makes the document if there is none: then it is its authority's, whoever writes into it first. */
  static async openOrMake(config: RevocationsConfig): Promise<Revocations> {
    const { document } = config;
    const made = (await document.read()) ?? (await document.create(encode([])));
    // Another replica may have made it in between.
    return made === undefined ? Revocations.open(config) : new Revocations(config, made);
  }

  get value(): ReadableWatch<readonly Revocation[]> {
    return this.#value;
  }

  /** Follows the document until the scope ends. */
  run(scope: Scope): void {
    const { clock, log, document } = this.#config;
    scope.run(async (signal) => {
      for (;;) {
        await sleep(clock, POLL_MILLISECONDS, signal);
        await this.#refresh().catch((error: unknown) => {
          log.error('what was revoked cannot be read; the last known set stays in force', {
            place: document.place,
            error: String(error),
          });
        });
      }
    });
  }

  /** Adds an entry, or takes it away again. Rejects when the document can't be written. */
  async change(action: 'revoke' | 'restore', revocation: Revocation): Promise<void> {
    const { clock, document } = this.#config;
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      await this.#refresh();
      const others = this.#value.value.filter(
        ({ kind, value }) => kind !== revocation.kind || value !== revocation.value,
      );
      const kept = others.filter(
        ({ kind, at }) => kind === 'serviceAccount' || clock.now() - at < KEPT_MILLISECONDS,
      );
      const next = action === 'revoke' ? [...kept, revocation] : kept;
      if (next.length > MOST) throw new Error(`${document.place} has ${MOST} entries; restore some first`);
      const text = encode(next);
      const written =
        this.#read === undefined
          ? await document.create(text)
          : await document.replace(text, this.#read.version);
      if (written === undefined) continue;
      this.#read = written;
      this.#value.set(next);
      return;
    }
    throw new Error(`${document.place} was changed by others ${ATTEMPTS} times in a row`);
  }

  async #refresh(): Promise<void> {
    const { document } = this.#config;
    const read = await document.read();
    if (read === undefined) {
      // A set that was removed must not set free what is in it.
      if (this.#read !== undefined) throw new Error(`${document.place} is gone`);
      return;
    }
    if (read.version === this.#read?.version) return;
    const next = decode(read.text, document.place);
    this.#read = read;
    this.#value.set(next);
  }
}

const KINDS: readonly string[] = ['pod', 'serial', 'serviceAccount'] satisfies readonly Revocation['kind'][];

function encode(revocations: readonly Revocation[]): string {
  return JSON.stringify({ format: 1, revocations });
}

function decode(text: string, place: string): readonly Revocation[] {
  try {
    const { format, revocations } = JSON.parse(text) as { format?: unknown; revocations?: unknown };
    if (format === 1 && Array.isArray(revocations) && revocations.every(isRevocation)) {
      return Object.freeze(revocations);
    }
  } catch {
    // As below.
  }
  throw new Error(
    `${place} does not hold a list of revocations; restore it, or write {"format":1,"revocations":[]}`,
  );
}

function isRevocation(entry: unknown): entry is Revocation {
  if (typeof entry !== 'object' || entry === null) return false;
  const { kind, value, at } = entry as Record<string, unknown>;
  return (
    typeof kind === 'string' && KINDS.includes(kind) && typeof value === 'string' && typeof at === 'number'
  );
}
