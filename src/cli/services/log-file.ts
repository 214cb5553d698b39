import { closeSync, fstatSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

export interface LogFileConfig {
  readonly path: string;
  /** At this size the file is set aside as `<path>.1`, replacing the one that stood there. */
  readonly mostBytes: number;
  /** Go on at the end of what an earlier run wrote. Default: that is set aside. */
  readonly goOn?: boolean;
}

/** An append-only file of lines (mode 0600) that never takes more than twice `mostBytes`. Writes are synchronous. */
export class LogFile {
  readonly #config: LogFileConfig;
  #descriptor: number;
  #bytes = 0;
  #closed = false;

  /** Throws what the file system says. */
  constructor(config: LogFileConfig) {
    this.#config = config;
    mkdirSync(dirname(config.path), { recursive: true, mode: 0o700 });
    this.#descriptor = config.goOn === true ? this.#goOn() : this.#start();
  }

  get path(): string {
    return this.#config.path;
  }

  /** `line` ends with a newline or gets one. A line that the disk does not take is lost, and so is one after `close`. */
  write(line: string): void {
    if (this.#closed) return;
    try {
      this.record(line);
    } catch {
      // A full disk must not stop the traffic; the lines are lost and the mesh goes on.
    }
  }

  /** The same for a line that must not be lost: throws unless all of it was written. */
  record(line: string): void {
    if (this.#closed) throw new Error(`${this.path} is closed`);
    const bytes = Buffer.from(line.endsWith('\n') ? line : `${line}\n`);
    if (this.#bytes + bytes.length > this.#config.mostBytes && this.#bytes > 0) {
      closeSync(this.#descriptor);
      this.#descriptor = this.#start();
    }
    const written = writeSync(this.#descriptor, bytes);
    this.#bytes += written;
    if (written < bytes.length) throw new Error(`${this.path} took ${written} of ${bytes.length} bytes`);
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

  #goOn(): number {
    const descriptor = openSync(this.#config.path, 'a', 0o600);
    this.#bytes = fstatSync(descriptor).size;
    return descriptor;
  }
}
