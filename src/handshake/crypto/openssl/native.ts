import { Arena, ARENA_LENGTH } from './arena.ts';
import { type Address, type Libcrypto, loadLibcrypto } from './libcrypto.ts';

/** A call into libcrypto that failed; the error queue is empty again. */
export class LibcryptoError extends Error {
  override readonly name = 'LibcryptoError';
}

/** libcrypto with its arena, and the checks that every call passes. One of it per thread. */
export class Native {
  readonly calls: Libcrypto;
  readonly arena: Arena;

  private constructor(calls: Libcrypto, arena: Arena) {
    this.calls = calls;
    this.arena = arena;
  }

  static async load(): Promise<Native> {
    const { libcrypto, memory } = await loadLibcrypto(ARENA_LENGTH);
    return new Native(libcrypto, new Arena(memory));
  }

  /** Throws unless a function answered 1. */
  must(result: number, name: string): void {
    if (result !== 1) throw this.failure(name);
  }

  /** Throws for NULL. */
  made(address: Address, name: string): Address {
    if (address === 0) throw this.failure(name);
    return address;
  }

  /** What a failed call left in OpenSSL's queue, which is emptied: a stale error ends an unrelated connection of node:tls. */
  failure(name: string): LibcryptoError {
    const code = this.calls.ERR_peek_last_error();
    let why = 'without a reason';
    if (code !== 0) {
      this.calls.ERR_error_string_n(code, this.arena.address('text'), this.arena.room('text'));
      why = this.arena.text();
    }
    this.calls.ERR_clear_error();
    return new LibcryptoError(`${name} failed: ${why}`);
  }

  /** Empties the queue after a call whose refusal is an answer and no fault. */
  forgetErrors(): void {
    if (this.calls.ERR_peek_last_error() !== 0) this.calls.ERR_clear_error();
  }
}
