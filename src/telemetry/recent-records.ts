import type { Log } from '#runtime';
import type { HandshakeRecord } from './handshake-record.ts';

export interface RecentLimits {
  readonly records: number;
  /** Of the records' JSON, in UTF-8. */
  readonly bytes: number;
}

/** The newest records, oldest first, bounded by number and by size; the oldest make room. */
export class RecentRecords {
  readonly #limits: RecentLimits;
  readonly #log: Log;
  readonly #kept: { record: HandshakeRecord; bytes: number }[] = [];
  readonly #listeners = new Set<(record: HandshakeRecord) => void>();
  #bytes = 0;

  constructor(limits: RecentLimits, log: Log) {
    this.#limits = limits;
    this.#log = log;
  }

  add(record: HandshakeRecord): void {
    const bytes = Buffer.byteLength(JSON.stringify(record));
    this.#kept.push({ record, bytes });
    this.#bytes += bytes;
    while (this.#kept.length > this.#limits.records || this.#bytes > this.#limits.bytes) {
      const oldest = this.#kept.shift();
      if (oldest === undefined) break;
      this.#bytes -= oldest.bytes;
    }
    for (const listener of [...this.#listeners]) this.#tell(listener, record);
  }

  all(): readonly HandshakeRecord[] {
    return this.#kept.map(({ record }) => record);
  }

  subscribe(listener: (record: HandshakeRecord) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** A reader's failure must not reach the handshake that is being told. */
  #tell(listener: (record: HandshakeRecord) => void, record: HandshakeRecord): void {
    try {
      listener(record);
    } catch (error) {
      this.#log.error('a reader of handshake records failed', { error: String(error) });
    }
  }
}
