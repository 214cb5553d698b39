/** Thrown into tasks (as the abort reason) when their scope ends. */
export class ScopeClosed extends Error {
  constructor(name: string) {
    super(`scope ${name} was closed`);
    this.name = 'ScopeClosed';
  }
}

/**
 * Owns what was started: tasks, timers, sockets, listeners. Closing it aborts `signal`, runs the cleanups in reverse
 * order and waits for every task. A task that fails for another reason than the closing fails the scope: `onFailure`.
 */
export class Scope {
  readonly name: string;
  readonly #controller = new AbortController();
  readonly #tasks = new Set<Promise<void>>();
  readonly #cleanups = new Set<() => void | Promise<void>>();
  readonly #onFailure: (error: unknown) => void;
  #closing: Promise<void> | undefined;

  constructor(name: string, onFailure: (error: unknown) => void) {
    this.name = name;
    this.#onFailure = onFailure;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Starts a task, at once, that ends when `signal` aborts. A closed scope starts nothing. */
  run(task: (signal: AbortSignal) => Promise<void>): void {
    if (!this.signal.aborted) this.#start(task);
  }

  /** Registers a cleanup; the returned function takes it back. Runs at once if the scope is closed already. */
  defer(cleanup: () => void | Promise<void>): () => void {
    if (this.signal.aborted) {
      this.#start(async () => cleanup());
      return () => undefined;
    }
    this.#cleanups.add(cleanup);
    return () => this.#cleanups.delete(cleanup);
  }

  child(name: string): Scope {
    const child = new Scope(`${this.name}/${name}`, this.#onFailure);
    const release = this.defer(() => child.close());
    child.defer(release);
    return child;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #start(task: (signal: AbortSignal) => Promise<void>): void {
    const guarded = async (): Promise<void> => {
      try {
        await task(this.signal);
      } catch (error) {
        if (!(this.signal.aborted && isAbort(error, this.signal))) this.#onFailure(error);
      }
    };
    const running = guarded().finally(() => this.#tasks.delete(running));
    this.#tasks.add(running);
  }

  async #close(): Promise<void> {
    this.#controller.abort(new ScopeClosed(this.name));
    for (const cleanup of [...this.#cleanups].reverse()) {
      try {
        await cleanup();
      } catch (error) {
        this.#onFailure(error);
      }
    }
    this.#cleanups.clear();
    while (this.#tasks.size > 0) await Promise.allSettled(this.#tasks);
  }
}

function isAbort(error: unknown, signal: AbortSignal): boolean {
  return error === signal.reason || (error instanceof Error && error.name === 'AbortError');
}
