import { type Clock, type Log, printable, type ReadableWatch, type Scope, sleep, Watch } from '#runtime';
import { compilePolicySet, type PolicySet } from '../compile/policy-set.ts';
import { formatProblem, type PolicyProblem, problemAt } from '../crd/problem.ts';
import { RELOAD } from '../limits.ts';
import type { PolicyContext } from '../model.ts';
import { PolicyReader } from '../read-policies.ts';
import type { Notifier } from './notifier.ts';
import { settle } from './settle.ts';
import type { Snapshot } from './snapshot.ts';

export interface PolicyWatcherConfig {
  readonly context: PolicyContext;
  readonly clock: Clock;
  readonly log: Log;
  readonly read: () => Promise<Snapshot>;
  readonly notifier: (onChange: () => void) => Notifier;
}

/** Thrown when the first reading has mistakes: there is no last good set to keep yet. */
export class PolicyLoadError extends Error {
  readonly problems: readonly PolicyProblem[];

  constructor(problems: readonly PolicyProblem[]) {
    super(
      ['the policies cannot be loaded:', ...problems.map((problem) => `  ${formatProblem(problem)}`)].join(
        '\n',
      ),
    );
    this.name = 'PolicyLoadError';
    this.problems = problems;
  }
}

/**
 * Keeps the newest good set. A change is taken whole or not at all: one mistake in one file keeps the last good set of
 * every file, and `problems` says all that is wrong until it is gone.
 */
export class PolicyWatcher {
  readonly #config: PolicyWatcherConfig;
  readonly #policies: Watch<PolicySet>;
  readonly #problems = new Watch<readonly PolicyProblem[]>([]);
  readonly #reader = new PolicyReader();
  /** The last snapshot that was judged, what was found in it, and the digest of the one whose set is in force. */
  #judged: Snapshot = { files: [], paths: [], problems: [], directories: [], digest: '' };
  #found: readonly PolicyProblem[] = [];
  #inForce = '';
  #warnings: readonly PolicyProblem[] = [];
  /** Files that would not stand still, and when one was last seen to change. */
  #restless: ReadonlySet<string> = new Set();
  #lastChange = 0;
  #changed: (() => void) | undefined;
  #dirty = true;

  private constructor(config: PolicyWatcherConfig) {
    this.#config = config;
    this.#policies = new Watch(compilePolicySet([], config.context, 0, []));
  }

  /** Reads once. Rejects with a `PolicyLoadError` that lists every mistake. */
  static async open(config: PolicyWatcherConfig): Promise<PolicyWatcher> {
    const watcher = new PolicyWatcher(config);
    await watcher.#judge(await config.read());
    const problems = watcher.#problems.value;
    if (problems.some(({ severity }) => severity === 'error')) throw new PolicyLoadError(problems);
    return watcher;
  }

  get policies(): ReadableWatch<PolicySet> {
    return this.#policies;
  }

  /** Errors of what was refused, else the warnings of what is in force. */
  get problems(): ReadableWatch<readonly PolicyProblem[]> {
    return this.#problems;
  }

  /** Follows the files until the scope ends. */
  run(scope: Scope): void {
    const notifier = this.#config.notifier(() => {
      this.#dirty = true;
      this.#changed?.();
    });
    scope.defer(() => notifier.close());
    scope.run((signal) => this.#follow(notifier, signal));
  }

  async #follow(notifier: Notifier, signal: AbortSignal): Promise<void> {
    const { clock, read } = this.#config;
    for (;;) {
      await this.#changeOrPoll(signal);
      const first = await read();
      notifier.follow(first.directories);
      if (first.digest === this.#judged.digest) {
        this.#calm();
        continue;
      }
      const snapshot = await settle(first, this.#judged, {
        clock,
        read,
        signal,
        onRestless: (files) => this.#complain(files),
      });
      await this.#judge(snapshot);
    }
  }

  /** Says which files hold the others up, once for all the time that they do. */
  #complain(files: readonly string[]): void {
    if (files.length === 0) return;
    this.#lastChange = this.#config.clock.monotonic();
    const added = files.filter((file) => !this.#restless.has(file));
    if (added.length === 0) return;
    this.#restless = new Set([...this.#restless, ...added]);
    this.#publish();
    this.#config.log.warn('policies keep changing', { files: added.map((file) => printable(file)) });
  }

  #calm(): void {
    if (this.#restless.size === 0) return;
    if (this.#config.clock.monotonic() - this.#lastChange < RELOAD.patienceMilliseconds) return;
    this.#restless = new Set();
    this.#publish();
  }

  #publish(): void {
    const restless = [...this.#restless].map((file) =>
      problemAt(file, undefined, KEEPS_CHANGING, { severity: 'warning' }),
    );
    this.#problems.set([...this.#found, ...restless]);
  }

  /** At the first call, and after a change while the last round worked, there is nothing to wait for but the debounce. */
  async #changeOrPoll(signal: AbortSignal): Promise<void> {
    if (!this.#dirty) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const wake = (): void => resolve();
      this.#changed = wake;
      const cancel = this.#config.clock.after(RELOAD.pollMilliseconds, wake);
      signal.addEventListener('abort', wake);
      await promise;
      signal.removeEventListener('abort', wake);
      cancel();
      this.#changed = undefined;
    }
    this.#dirty = false;
    await sleep(this.#config.clock, RELOAD.debounceMilliseconds, signal);
  }

  async #judge(snapshot: Snapshot): Promise<void> {
    if (snapshot.digest === this.#judged.digest) return;
    if (snapshot.digest === this.#inForce) {
      this.#judged = snapshot;
      this.#found = this.#warnings;
      this.#publish();
      return;
    }
    const epoch = this.#policies.value.epoch + 1;
    const { files, paths } = snapshot;
    const { set, problems: found } = await this.#reader.read(files, this.#config.context, epoch, paths);
    const problems = [...snapshot.problems, ...found];
    this.#judged = snapshot;
    this.#found = problems;
    if (set === undefined || problems.some(({ severity }) => severity === 'error')) {
      this.#refuse(problems);
      return;
    }
    this.#inForce = snapshot.digest;
    this.#warnings = problems;
    this.#policies.set(set);
    this.#publish();
    const { log } = this.#config;
    log.info('policies loaded', { epoch, documents: set.documents.length, files: files.length });
    if (problems.length > 0) log.warn('policies have warnings', { problems: problems.map(formatProblem) });
  }

  #refuse(problems: readonly PolicyProblem[]): void {
    this.#publish();
    const { epoch } = this.#policies.value;
    this.#config.log.error('policies refused; the last good set stays', {
      epoch,
      problems: problems.map(formatProblem),
    });
  }
}

const KEEPS_CHANGING =
  'keeps changing, so it is taken as it is now and then, perhaps half written; write a new file and rename it over this one, and only when there is something new';
