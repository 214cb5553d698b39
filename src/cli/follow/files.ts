import { createHash } from 'node:crypto';
import { constants, open, stat } from 'node:fs/promises';
import {
  type Clock,
  err,
  type Log,
  ok,
  type ReadableWatch,
  type Result,
  type Scope,
  sleep,
  Watch,
  whyUnreadable,
} from '#runtime';

export interface FollowedFilesConfig<T> {
  /** For the log: `the trust bundle`. */
  readonly what: string;
  readonly paths: readonly string[];
  /** Makes the value from the files' texts, in the order of the paths; the error is every mistake. */
  readonly parse: (texts: readonly string[]) => Result<T, readonly string[]>;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * The value that some mounted files stand for, followed as they change. Once a second they are looked at, and read if
 * they are others than before: that finds what is written in place, renamed, or swapped in by a symbolic link as a
 * ConfigMap is, and reads a key no oftener than it changes. A change is taken when it stayed the same for a moment, so
 * that a half-written file is not; one with mistakes leaves the last good value.
 */
export class FollowedFiles<T> {
  readonly #config: FollowedFilesConfig<T>;
  readonly #value: Watch<T>;
  /** Of what is in force: how the files looked, and a digest of their texts. */
  #look: string;
  #digest: string;
  #mistakes: readonly string[] = [];
  /** Whether they were good once. */
  #held: boolean;

  private constructor(config: FollowedFilesConfig<T>, first: T, { look, digest }: Reading) {
    this.#config = config;
    this.#value = new Watch(first);
    this.#held = look !== NOTHING_READ.look;
    this.#look = look;
    this.#digest = digest;
  }

  /** Reads once; the error is every mistake. */
  static async open<T>(config: FollowedFilesConfig<T>): Promise<Result<FollowedFiles<T>, readonly string[]>> {
    const read = await readAll(config.paths);
    const parsed = judge(read, config);
    return parsed.ok ? ok(new FollowedFiles(config, parsed.value, read)) : parsed;
  }

  /** The same for what can come later: until the files are good the value is `otherwise`, and the log says why. */
  static async openOr<T>(config: FollowedFilesConfig<T>, otherwise: T): Promise<FollowedFiles<T>> {
    const read = await readAll(config.paths);
    const parsed = judge(read, config);
    if (parsed.ok) return new FollowedFiles(config, parsed.value, read);
    const followed = new FollowedFiles(config, otherwise, NOTHING_READ);
    followed.#refuse(parsed.error);
    return followed;
  }

  get value(): ReadableWatch<T> {
    return this.#value;
  }

  /** Follows the files until the scope ends. */
  run(scope: Scope): void {
    const { clock, paths } = this.#config;
    scope.run(async (signal) => {
      for (;;) {
        await sleep(clock, POLL_MILLISECONDS, signal);
        let look = await lookAt(paths);
        if (look === this.#look && this.#mistakes.length === 0) continue;
        for (let before = ''; before !== look; ) {
          before = look;
          await sleep(clock, SETTLE_MILLISECONDS, signal);
          look = await lookAt(paths);
        }
        this.#take(await readAll(paths));
      }
    });
  }

  /** Judges the files again although they are the same, because something changed that they are judged by. */
  again(): void {
    this.#look = NOTHING_READ.look;
    this.#digest = NOTHING_READ.digest;
  }

  /** Files with mistakes come here at every poll: a certificate that is not valid yet becomes so by waiting. */
  #take(read: Reading): void {
    const parsed = judge(read, this.#config);
    if (!parsed.ok) {
      this.#refuse(parsed.error);
      return;
    }
    this.#mistakes = [];
    this.#held = true;
    this.#look = read.look;
    if (read.digest === this.#digest) return;
    this.#digest = read.digest;
    this.#value.set(parsed.value);
    const { what, paths, log } = this.#config;
    log.info('files read', { what, paths });
  }

  #refuse(mistakes: readonly string[]): void {
    if (mistakes.join() === this.#mistakes.join()) return;
    this.#mistakes = mistakes;
    const { what, paths, log } = this.#config;
    const meanwhile = this.#held ? 'what was in force stays' : 'nothing passes until they are good';
    log.error(`files refused; ${meanwhile}`, { what, paths, mistakes });
  }
}

function judge<T>(
  { texts, mistakes }: Reading,
  { parse }: FollowedFilesConfig<T>,
): Result<T, readonly string[]> {
  return texts === undefined ? err(mistakes) : parse(texts);
}

interface Reading {
  /** As the files looked before they were read: should they change meanwhile, the next look differs. */
  readonly look: string;
  /** Undefined if one of them could not be read. */
  readonly texts: readonly string[] | undefined;
  readonly mistakes: readonly string[];
  readonly digest: string;
}

const NOTHING_READ: Reading = { look: '', texts: undefined, mistakes: [], digest: '' };

const POLL_MILLISECONDS = 1_000;
const SETTLE_MILLISECONDS = 100;
/** A ConfigMap or Secret holds at most 1 MiB. */
const MOST_BYTES = 1024 * 1024;

/** Which files the paths lead to, and when they were last written: to the granularity of the system's clock, 4 ms. */
async function lookAt(paths: readonly string[]): Promise<string> {
  const looks = paths.map(async (path) => {
    try {
      const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
      return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
    } catch (error) {
      return messageOf(error);
    }
  });
  return (await Promise.all(looks)).join('; ');
}

async function readAll(paths: readonly string[]): Promise<Reading> {
  const look = await lookAt(paths);
  const texts: string[] = [];
  const mistakes: string[] = [];
  for (const path of paths) {
    try {
      texts.push(await readBounded(path));
    } catch (error) {
      mistakes.push(`${path} cannot be read: ${whyUnreadable(error)}`);
    }
  }
  const digest = createHash('sha256').update(JSON.stringify(texts)).digest('hex');
  return { look, texts: mistakes.length === 0 ? texts : undefined, mistakes, digest };
}

async function readBounded(path: string): Promise<string> {
  // Opening a FIFO would wait for its writer.
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const status = await handle.stat();
    if (!status.isFile()) throw new Error('it is not a regular file');
    if (status.size > MOST_BYTES) throw new Error(`it is larger than ${MOST_BYTES} bytes`);
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
