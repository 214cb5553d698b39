/** Waits for the answers of one connection, in the order of the calls. */
export class Answers {
  /** After this long without an answer, a call has failed. */
  static readonly MILLISECONDS = 20_000;
  readonly #waiting: { readonly text: string; resolve(): void; reject(error: Error): void }[] = [];
  readonly #settled: (() => void)[] = [];

  ask(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => this.fail(new Error('no answer in time')), Answers.MILLISECONDS);
      const done = (): void => clearTimeout(late);
      this.#waiting.push({
        text,
        resolve: () => {
          done();
          resolve();
        },
        reject: (error) => {
          done();
          reject(error);
        },
      });
    });
  }

  take(text: string): void {
    const next = this.#waiting.shift();
    if (next?.text === text) next.resolve();
    else this.fail(new Error(`${text} came instead of ${next?.text ?? 'nothing'}`));
    if (this.#waiting.length === 0) for (const settled of this.#settled.splice(0)) settled();
  }

  fail(error: Error): void {
    for (const { reject } of this.#waiting.splice(0)) reject(error);
    for (const settled of this.#settled.splice(0)) settled();
  }

  /** Resolves when nothing is waited for. */
  none(): Promise<void> {
    return new Promise((resolve) => (this.#waiting.length === 0 ? resolve() : this.#settled.push(resolve)));
  }
}
