import { closeSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

export interface LogFileConfig {
  readonly path: string;
  /** At this size the file is set aside as `<path>.1`, replacing the one that stood there. */
  readonly mostBytes: number;
}

/** An append-only file of lines (mode 0600) that never takes more than twice `mostBytes`. Writes are synchronous. */
export class LogFile {
  readonly #config: LogFileConfig;
  #descriptor: number;
  #bytes = 0;
  #closed = false;

  /** Starts a new file; what an earlier run wrote is set aside. Throws what the file system says. */
  constructor(config: LogFileConfig) {
    this.#config = config;
    mkdirSync(dirname(config.path), { recursive: true, mode: 0o700 });
    this.#descriptor = this.#start();
  }

  get path(): string {
    return this.#config.path;
  }

  /** `line` ends with a newline or gets one. After `close` nothing is written. */
  write(line: string): void {
    if (this.#closed) return;
    const text = line.endsWith('\n') ? line : `${line}\n`;
    if (this.#bytes + text.length > this.#config.mostBytes && this.#bytes > 0) {
      closeSync(this.#descriptor);
      this.#descriptor = this.#start();
    }
    try {
      this.#bytes += writeSync(this.#descriptor, text);
    } catch {
      // A full disk must not stop the traffic; the lines are lost and the mesh goes on.
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    closeSync(this.#descriptor);
  }

  #start(): number {
    try {
      renameSync(this.#config.path, `${this.#config.path}.1`);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    this.#bytes = 0;
    return openSync(this.#config.path, 'wx', 0o600);
  }
}
