import type { Log } from '#runtime';
import { AuthorityError } from './config.ts';
import type { Slot } from './slot.ts';
import { type AuthorityState, decodeState, encodeState, sha256 } from './state.ts';
import type { StateDocument, VersionedText } from './state-document.ts';
import {
  nextState,
  readSlot,
  type Role,
  slotContents,
  type StateChange,
  type StateStore,
} from './state-store.ts';

/** Other replicas' transitions are seen this much later at most. Until then both sign validly, with either slot. */
const REFRESH_MILLISECONDS = 30_000;

/**
 * State and keys of an authority that several processes share, in one document that is replaced by compare-and-swap: of
 * two who change it at once, one is overtaken and takes over what the other wrote. Keys are written ahead with the
 * state that names them, before anything is signed with them. What cannot be read is refused, never made anew.
 */
export class DocumentStore implements StateStore {
  readonly refreshMilliseconds = REFRESH_MILLISECONDS;
  readonly #document: StateDocument;
  readonly #log: Log;
  readonly #trustDomain: string;
  /** The document as last read or written; undefined before there is one. */
  #known: Known | undefined;
  /** Slots that were made and that no state names yet. */
  #pending: Record<string, string> = {};

  private constructor(document: StateDocument, trustDomain: string, log: Log) {
    this.#document = document;
    this.#trustDomain = trustDomain;
    this.#log = log;
  }

  static async open(document: StateDocument, trustDomain: string, log: Log): Promise<DocumentStore> {
    const store = new DocumentStore(document, trustDomain, log);
    await store.refresh();
    return store;
  }

  get place(): string {
    return this.#document.place;
  }

  get state(): AuthorityState {
    const none = { root: null, current: null, next: null, files: {} };
    return (
      this.#known?.state ?? { trustDomain: this.#trustDomain, generation: 0, phase: 'creating', ...none }
    );
  }

  write(role: Role, slot: Slot): Promise<Readonly<Record<string, string>>> {
    const contents = slotContents(role, slot);
    Object.assign(this.#pending, contents);
    const hashes = Object.entries(contents).map(([name, text]) => [name, sha256(text)] as const);
    return Promise.resolve(Object.fromEntries(hashes));
  }

  async commit(change: StateChange): Promise<'committed' | 'overtaken'> {
    const state = nextState(this.state, change);
    const all: Readonly<Record<string, string>> = { ...this.#known?.contents, ...this.#pending };
    this.#pending = {};
    const contents = Object.fromEntries(Object.keys(state.files).map((name) => [name, all[name] ?? '']));
    const text = encode(state, contents);
    const written =
      this.#known === undefined
        ? await this.#document.create(text)
        : await this.#document.replace(text, this.#known.version);
    if (written !== undefined) {
      this.#known = { ...written, state, contents };
      return 'committed';
    }
    await this.refresh();
    // A client that repeats a call whose answer was lost is refused for its own success.
    if (this.#known?.text === text) return 'committed';
    if (this.#known === undefined) throw new AuthorityError(`${this.place} was removed while it was written`);
    this.#log.info('another replica changed the state of the authority first; its state is taken over', {
      place: this.place,
      generation: this.state.generation,
    });
    return 'overtaken';
  }

  read(role: Role, serial: string): Promise<Slot> {
    const known = this.#known;
    const contentsOf = (name: string): string => {
      const text = known?.contents[name];
      if (text === undefined) throw this.#damaged(name, 'it is missing');
      if (known?.state.files[name] !== sha256(text)) throw this.#damaged(name, 'its checksum does not fit');
      return text;
    };
    return readSlot(role, serial, contentsOf, (name, why) => this.#damaged(name, why));
  }

  async refresh(): Promise<boolean> {
    const read = await this.#document.read();
    if (read === undefined) {
      if (this.#known === undefined) return false;
      throw new AuthorityError(`${this.place} is gone: the authority cannot be changed. ${RECOVERY}`);
    }
    if (read.version === this.#known?.version) return false;
    const decoded = decode(read);
    if (typeof decoded === 'string') throw new AuthorityError(`${this.place}: ${decoded}. ${RECOVERY}`);
    if (decoded.state.trustDomain !== this.#trustDomain) {
      throw new AuthorityError(
        `${this.place} belongs to trust domain "${decoded.state.trustDomain}", but the configuration says ` +
          `"${this.#trustDomain}": correct the configuration, or use another name`,
      );
    }
    this.#known = decoded;
    return true;
  }

  close(): void {
    this.#pending = {};
  }

  #damaged(name: string, why: string): AuthorityError {
    return new AuthorityError(`${name} in ${this.place}: ${why}. ${RECOVERY}`);
  }
}

const RECOVERY =
  'Restore it from a backup, or delete it to start a new authority with a new root (all sidecars then need its trust bundle)';

interface Known extends VersionedText {
  readonly state: AuthorityState;
  /** By the names of the files that a folder would have. */
  readonly contents: Readonly<Record<string, string>>;
}

function encode(state: AuthorityState, contents: Readonly<Record<string, string>>): string {
  return JSON.stringify({ state: JSON.parse(encodeState(state)) as unknown, contents });
}

/** A text says what is wrong. */
function decode(read: VersionedText): Known | string {
  let json: unknown;
  try {
    json = JSON.parse(read.text);
  } catch {
    return 'it is not JSON: it was cut off or edited';
  }
  if (typeof json !== 'object' || json === null) return 'it is not a JSON object';
  const { state, contents } = json as Record<string, unknown>;
  const decoded = decodeState(JSON.stringify(state ?? null));
  if (!decoded.ok) return decoded.error;
  const isRecord = typeof contents === 'object' && contents !== null;
  if (!isRecord || !Object.values(contents).every((text) => typeof text === 'string')) {
    return 'its contents are missing or have another type';
  }
  return { ...read, state: decoded.value, contents: contents as Record<string, string> };
}
