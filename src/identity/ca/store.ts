import { join } from 'node:path';
import type { Log } from '#runtime';
import { AuthorityError } from './config.ts';
import { listFiles, prepareFolder, readPrivate, removeFiles, TEMPORARY, writeAtomically } from './files.ts';
import { type FolderLock, lockFolder } from './lock.ts';
import type { Slot } from './slot.ts';
import { type AuthorityState, decodeState, encodeState, sha256, STATE_FILE } from './state.ts';
import {
  nextState,
  readSlot,
  type Role,
  slotContents,
  type StateChange,
  type StateStore,
} from './state-store.ts';

/** Names of files that an authority makes, in force or left by an interrupted transition. */
const OWN_FILE = /^(root|intermediate)-[0-9a-f]+\.(certificate|key)\.pem$/;

const RECOVERY =
  'Restore the folder from a backup, or move it away to start a new authority with a new root ' +
  '(all peers then need its trust bundle)';

/**
 * Certificates, keys and state of an authority in its folder. A transition writes new files first, then replaces
 * state.json, then removes what is no longer in force; interrupted anywhere, it has happened or it hasn't. State that
 * is torn, edited or incomplete is refused, never made anew.
 */
export class FolderStore implements StateStore {
  /** The lock keeps others away. */
  readonly refreshMilliseconds = undefined;
  readonly #directory: string;
  readonly #log: Log;
  readonly #lock: FolderLock;
  /** What state.json holds, exactly as written. */
  #text: string;
  #state: AuthorityState;

  private constructor(place: Place, text: string, state: AuthorityState) {
    this.#directory = place.directory;
    this.#log = place.log;
    this.#lock = place.lock;
    this.#text = text;
    this.#state = state;
  }

  /** `now` is for the message to a second process that wants the folder. */
  static async open(directory: string, trustDomain: string, now: number, log: Log): Promise<FolderStore> {
    await prepareFolder(directory);
    const lock = await lockFolder(directory, now);
    try {
      return await FolderStore.#read({ directory, log, lock }, trustDomain);
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  static async #read(place: Place, trustDomain: string): Promise<FolderStore> {
    const path = join(place.directory, STATE_FILE);
    const text = await readPrivate(path);
    if (text === undefined) return FolderStore.#begin(place, trustDomain);
    const state = decodeState(text);
    if (!state.ok) throw new AuthorityError(`${path}: ${state.error}. ${RECOVERY}`);
    if (state.value.trustDomain !== trustDomain) {
      throw new AuthorityError(
        `${path} belongs to trust domain "${state.value.trustDomain}", but the configuration says "${trustDomain}": ` +
          'correct the configuration, or use another folder',
      );
    }
    const store = new FolderStore(place, text, state.value);
    await store.#removeLeftovers();
    return store;
  }

  /** Writes ahead that keys are about to be made: if that is interrupted, the next start knows nothing was issued. */
  static async #begin(place: Place, trustDomain: string): Promise<FolderStore> {
    const { directory } = place;
    const [stray] = (await listFiles(directory)).filter((name) => OWN_FILE.test(name));
    if (stray !== undefined) {
      throw new AuthorityError(
        `${join(directory, STATE_FILE)} is missing, but ${stray} is there. ${RECOVERY}`,
      );
    }
    const none = { root: null, current: null, next: null, files: {} };
    const state: AuthorityState = { trustDomain, generation: 0, phase: 'creating', ...none };
    const text = encodeState(state);
    await writeAtomically(directory, STATE_FILE, text);
    return new FolderStore(place, text, state);
  }

  get place(): string {
    return this.#directory;
  }

  get state(): AuthorityState {
    return this.#state;
  }

  /** Puts certificate and key on disk. They are in force only once `commit` names them. */
  async write(role: Role, slot: Slot): Promise<Readonly<Record<string, string>>> {
    const files = slotContents(role, slot);
    const hashes: Record<string, string> = {};
    for (const [name, contents] of Object.entries(files)) {
      await writeAtomically(this.#directory, name, contents);
      hashes[name] = sha256(contents);
    }
    return hashes;
  }

  /** Makes `change` the state in force, and removes files (old keys above all) that it no longer names. */
  async commit(change: StateChange): Promise<'committed'> {
    const path = join(this.#directory, STATE_FILE);
    if ((await readPrivate(path)) !== this.#text) {
      throw new AuthorityError(`${path} was changed while the authority ran. ${RECOVERY}`);
    }
    const state = nextState(this.#state, change);
    const text = encodeState(state);
    await writeAtomically(this.#directory, STATE_FILE, text);
    this.#text = text;
    this.#state = state;
    await this.#removeLeftovers();
    return 'committed';
  }

  read(role: Role, serial: string): Promise<Slot> {
    return readSlot(
      role,
      serial,
      (name) => this.#readInForce(name),
      (name, why) => this.#damaged(name, why),
    );
  }

  refresh(): Promise<boolean> {
    return Promise.resolve(false);
  }

  close(): void {
    this.#lock.release();
  }

  async #readInForce(name: string): Promise<string> {
    const contents = await readPrivate(join(this.#directory, name));
    if (contents === undefined) throw this.#damaged(name, 'it is missing');
    if (this.#state.files[name] !== sha256(contents)) {
      throw this.#damaged(name, `its checksum is not the one in ${STATE_FILE}: it was edited or damaged`);
    }
    return contents;
  }

  #damaged(name: string, why: string): AuthorityError {
    return new AuthorityError(`${join(this.#directory, name)}: ${why}. ${RECOVERY}`);
  }

  /** Files of an interrupted or finished transition: no state names them, so nothing was ever issued with them again. */
  async #removeLeftovers(): Promise<void> {
    const names = await listFiles(this.#directory);
    const leftovers = names.filter(
      (name) => (OWN_FILE.test(name) && this.#state.files[name] === undefined) || name.endsWith(TEMPORARY),
    );
    if (leftovers.length === 0) return;
    await removeFiles(this.#directory, leftovers);
    this.#log.info('files that are no longer in force were removed', { files: leftovers });
  }
}

interface Place {
  readonly directory: string;
  readonly log: Log;
  readonly lock: FolderLock;
}
