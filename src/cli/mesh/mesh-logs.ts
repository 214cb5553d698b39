import { join } from 'node:path';
import { LogFile } from '../services/log-file.ts';
import { formatTime } from '../view/format.ts';

/**
 * The files that a mesh writes: its own JSON lines, the record of each certificate, and what it prints for each service.
 * Each is bounded and has its own room, so that what one writes (strangers make lines, too) pushes nothing else out.
 */
export class MeshLogs {
  readonly mesh: LogFile;
  readonly #audit: LogFile;
  readonly #folder: string;
  readonly #services = new Map<string, LogFile>();

  constructor(folder: string) {
    this.#folder = folder;
    this.mesh = this.#open('sallyport');
    this.#audit = this.#open('audit', { goOn: true });
  }

  /** Keeps the record of a certificate as a line of JSON. Throws when it can't be kept: then it isn't handed out. */
  audit(record: object): void {
    this.#audit.record(JSON.stringify(record));
  }

  /** `name` is that of a service in mesh.yaml, which a folder of its own keeps apart from our names. */
  service(name: string, line: string, stream: 'stdout' | 'stderr'): void {
    const file = this.#services.get(name) ?? this.#open(join('services', name));
    this.#services.set(name, file);
    file.write(`${formatTime(Date.now(), true)} ${stream} ${line}`);
  }

  close(): void {
    for (const file of [this.mesh, this.#audit, ...this.#services.values()]) file.close();
  }

  #open(name: string, options: { readonly goOn?: boolean } = {}): LogFile {
    return new LogFile({ path: join(this.#folder, `${name}.log`), mostBytes: MOST_LOG_BYTES, ...options });
  }
}

const MOST_LOG_BYTES = 10 * 1024 * 1024;
