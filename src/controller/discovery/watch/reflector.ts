import { Backoff, type Clock, type Log, type Scope, sleep } from '#runtime';
import { ApiError } from './api-error.ts';
import { type ApiObject, type ApiObjects, type ApiStatus, checkNamed } from './api-objects.ts';
import type { WatchLimits } from './limits.ts';

export interface ReflectorConfig {
  readonly api: ApiObjects;
  readonly path: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Returns a number in [0, 1). */
  readonly random: () => number;
  readonly limits: WatchLimits;
  /** The server may not have this kind of object: then there are none, which it is asked again from time to time. */
  readonly optional?: boolean;
  /**
   * Objects of a kind that is removed are deleted first, each with its event. So one that is missing while there are
   * objects may be a server that isn't whole yet, and what they said is kept.
   */
  readonly doubtsAbsence?: boolean;
  /** One object as it is now; undefined: it is gone. Keep nothing of it but what is needed. Must not throw. */
  readonly onObject: (key: string, object: ApiObject | undefined) => void;
  /** Each time a watch is begun anew, and why. */
  readonly onRestart: (reason: WatchRestart) => void;
}

/** `ended`: by the server, in time. `expired`: 410, all was listed again. `silent`: nothing came, not even its end. */
export type WatchRestart = 'ended' | 'expired' | 'silent' | ApiError['kind'];

/** Follows all objects of one kind: lists them, watches from there, and goes on for as long as its scope. */
export class Reflector {
  readonly #config: ReflectorConfig;
  readonly #backoff: Backoff;
  readonly #known = new Set<string>();
  #version: string | undefined;
  #heardAt: number | undefined;
  #synced = false;
  #told = 0;

  constructor(config: ReflectorConfig) {
    this.#config = config;
    const { limits, random } = config;
    this.#backoff = new Backoff(
      {
        firstMilliseconds: limits.firstDelayMilliseconds,
        longestMilliseconds: limits.longestDelayMilliseconds,
        jitter: limits.delayJitter,
      },
      random,
    );
  }

  run(scope: Scope): void {
    scope.run((signal) => this.#follow(signal));
  }

  /** Whether everything was told once, and the watch has been heard of since. */
  get fresh(): boolean {
    return this.#synced && this.ageMilliseconds < this.#config.limits.freshMilliseconds;
  }

  /** Since the last event, bookmark or list. */
  get ageMilliseconds(): number {
    return this.#heardAt === undefined
      ? Number.POSITIVE_INFINITY
      : this.#config.clock.monotonic() - this.#heardAt;
  }

  /** Whether all objects were told once. */
  get synced(): boolean {
    return this.#synced;
  }

  /** The newest change that was told, as resourceVersions count; 0: none. */
  get told(): number {
    return this.#told;
  }

  /** How far it has followed: no change up to here is missing, though there may be none near it. */
  get reached(): number {
    return this.#synced ? Math.max(numberOf(this.#version), this.#told) : 0;
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const { clock, log, onRestart, path } = this.#config;
    while (!signal.aborted) {
      let restart: WatchRestart = 'ended';
      const begun = clock.monotonic();
      try {
        this.#version ??= await this.#list(signal);
        await this.#watch(this.#version, signal);
      } catch (error) {
        if (signal.aborted) throw error;
        if (this.#isAbsent(error)) {
          if (this.#config.doubtsAbsence === true && this.#known.size > 0) {
            log.error('a kind is gone while it had objects; they are kept', {
              path,
              objects: this.#known.size,
            });
            this.#heard();
          } else this.#listed(new Set());
          await sleep(clock, this.#config.limits.absentMilliseconds, signal);
          continue;
        }
        restart = restartOf(error);
        // What can't be read may have been a change that is missing now: all is asked for again.
        if (restart === 'expired' || restart === 'malformed') this.#version = undefined;
        log.warn('a watch broke off', { path, reason: restart, error: String(error) });
      }
      // What was not heard of lately would be too old before the next watch brings its bookmark. The one before its end
      // may be missing: a server with much to do is late with it.
      const isQuiet = restart === 'ended' || restart === 'silent';
      if (isQuiet && this.ageMilliseconds > this.#config.limits.unheardMilliseconds)
        this.#version = undefined;
      onRestart(restart);
      const lasted = clock.monotonic() - begun;
      // One that the server ends at once would otherwise be asked for without pause.
      if (restart === 'ended' && lasted >= this.#config.limits.longestDelayMilliseconds)
        this.#backoff.reset();
      else await sleep(clock, this.#backoff.next(), signal);
    }
  }

  /** Tells of every object, and of those that are gone since. The resourceVersion of the whole. */
  async #list(signal: AbortSignal): Promise<string> {
    const { api, limits, path } = this.#config;
    const seen = new Set<string>();
    let next: string | undefined;
    let version: string;
    do {
      const query = { limit: limits.pageObjects, ...(next === undefined ? {} : { continue: next }) };
      const page = await this.#within(limits.pageTimeoutMilliseconds, signal, (inTime) =>
        api.list(path, query, inTime),
      );
      for (const object of page.items) {
        const key = keyOf(object);
        seen.add(key);
        this.#known.add(key);
        this.#tell(key, object, object);
      }
      ({ next, resourceVersion: version } = page);
    } while (next !== undefined);
    this.#listed(seen);
    return version;
  }

  /** What was not seen is gone. */
  #listed(seen: ReadonlySet<string>): void {
    for (const key of this.#known) {
      if (seen.has(key)) continue;
      this.#known.delete(key);
      this.#config.onObject(key, undefined);
    }
    this.#synced = true;
    this.#heard();
  }

  /** The server has no such kind; where it refuses us (403) there may be some, so that is no absence. */
  #isAbsent(error: unknown): boolean {
    if (this.#config.optional !== true || !(error instanceof ApiError)) return false;
    if (error.kind !== 'refused' || error.code !== NOT_FOUND) return false;
    this.#version = undefined;
    return true;
  }

  async #watch(from: string, signal: AbortSignal): Promise<void> {
    const { api, limits, path, random } = this.#config;
    const timeoutSeconds = Math.ceil(limits.watchSeconds * (1 - limits.watchJitter * random()));
    const query = { resourceVersion: from, allowWatchBookmarks: true, timeoutSeconds };
    const patience = timeoutSeconds * 1_000 + limits.graceMilliseconds;
    await this.#within(patience, signal, async (inTime) => {
      for await (const { type, object } of api.watch(path, query, inTime)) this.#take(type, object);
    });
  }

  #take(type: string, object: ApiObject | ApiStatus): void {
    if (type === 'ERROR') {
      const { code = 0, message = '' } = object as ApiStatus;
      throw new ApiError('refused', `the watch ended with ${code}: ${message}`, code);
    }
    if (type === 'BOOKMARK') {
      this.#version = (object as ApiObject).metadata.resourceVersion ?? this.#version;
    } else {
      const named = checkNamed(object);
      const key = keyOf(named);
      if (type === 'DELETED') this.#known.delete(key);
      else if (type === 'ADDED' || type === 'MODIFIED') this.#known.add(key);
      else throw new ApiError('malformed', `an event is of type ${type}`);
      this.#tell(key, type === 'DELETED' ? undefined : named, named);
      this.#version = named.metadata.resourceVersion ?? this.#version;
    }
    // Whoever gets so far along is not in trouble.
    this.#backoff.reset();
    this.#heard();
  }

  #tell(key: string, object: ApiObject | undefined, from: ApiObject): void {
    this.#config.onObject(key, object);
    this.#told = Math.max(this.#told, numberOf(from.metadata.resourceVersion));
  }

  #heard(): void {
    this.#heardAt = this.#config.clock.monotonic();
  }

  /** Ends `task` with Silence if it takes longer. */
  async #within<T>(
    milliseconds: number,
    signal: AbortSignal,
    task: (inTime: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const timeout = new AbortController();
    const cancel = this.#config.clock.after(milliseconds, () => timeout.abort(new Silence(milliseconds)));
    try {
      return await task(AbortSignal.any([signal, timeout.signal]));
    } finally {
      cancel();
    }
  }
}

class Silence extends Error {
  constructor(milliseconds: number) {
    super(`no end came within ${milliseconds} ms`);
    this.name = 'Silence';
  }
}

const GONE = 410;
const NOT_FOUND = 404;

function restartOf(error: unknown): WatchRestart {
  if (error instanceof Silence) return 'silent';
  if (!(error instanceof ApiError)) throw error;
  return error.kind === 'refused' && error.code === GONE ? 'expired' : error.kind;
}

/** A resourceVersion is a number that grows with each change of the cluster (KEP-5504); 0: it isn't. */
function numberOf(version: string | undefined): number {
  const number = Number(version ?? 0);
  return Number.isSafeInteger(number) ? number : 0;
}

function keyOf({ metadata: { name, namespace } }: ApiObject): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}
