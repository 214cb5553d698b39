import { expect, vi } from 'vitest';

/** For stories: a busy machine may be ten times slower, and what is tried here is not speed. */
export function bePatient(): void {
  vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });
}

/** `expect.poll`, with time enough for a busy machine. */
export function eventually<T>(look: () => T): ReturnType<typeof expect.poll<T>> {
  return expect.poll(look, { timeout: 30_000, interval: 20 });
}
