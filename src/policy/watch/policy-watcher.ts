import { type Clock, type Log, type ReadableWatch, type Scope, sleep, Watch } from '#runtime';
import { compilePolicySet, type PolicySet } from '../compile/policy-set.ts';
import { formatProblem, type PolicyProblem } from '../crd/problem.ts';
import { RELOAD } from '../limits.ts';
import type { PolicyContext } from '../model.ts';
import { readPolicies } from '../read-policies.ts';
import type { Notifier } from './notifier.ts';
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
  /** Digests of the last snapshot that was judged, and of the one whose set is in force. */
  #judged = '';
  #inForce = '';
  #warnings: readonly PolicyProblem[] = [];
  #changed: (() => void) | undefined;
  #dirty = true;

  private constructor(config: PolicyWatcherConfig) {
    this.#config = config;
    this.#policies = new Watch(compilePolicySet([], config.context, 0, []));
  }

  /** Reads once. Rejects with a `PolicyLoadError` that lists every mistake. */
  static async open(config: PolicyWatcherConfig): Promise<PolicyWatcher> {
    const watcher = new PolicyWatcher(config);
    watcher.#judge(await config.read());
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
    for (;;) {
      await this.#changeOrPoll(signal);
      let snapshot = await this.#config.read();
      notifier.follow(snapshot.directories);
      if (snapshot.digest === this.#judged) continue;
      for (let before = ''; before !== snapshot.digest; ) {
        before = snapshot.digest;
        await sleep(this.#config.clock, RELOAD.settleMilliseconds, signal);
        snapshot = await this.#config.read();
      }
      this.#judge(snapshot);
    }
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

  #judge(snapshot: Snapshot): void {
    if (snapshot.digest === this.#judged) return;
    this.#judged = snapshot.digest;
    if (snapshot.digest === this.#inForce) {
      this.#problems.set(this.#warnings);
      return;
    }
    const epoch = this.#policies.value.epoch + 1;
    const { set, problems: found } = readPolicies(
      snapshot.files,
      this.#config.context,
      epoch,
      snapshot.paths,
    );
    const problems = [...snapshot.problems, ...found];
    if (set === undefined || problems.some(({ severity }) => severity === 'error')) {
      this.#refuse(problems);
      return;
    }
    this.#inForce = snapshot.digest;
    this.#warnings = problems;
    this.#policies.set(set);
    this.#problems.set(problems);
    const { log } = this.#config;
    log.info('policies loaded', { epoch, documents: set.documents.length, files: snapshot.files.length });
    if (problems.length > 0) log.warn('policies have warnings', { problems: problems.map(formatProblem) });
  }

  #refuse(problems: readonly PolicyProblem[]): void {
    this.#problems.set(problems);
    const { epoch } = this.#policies.value;
    this.#config.log.error('policies refused; the last good set stays', {
      epoch,
      problems: problems.map(formatProblem),
    });
  }
}
