import { readFileSync, readlinkSync } from 'node:fs';
import type { Log } from '#runtime';

/**
 * Finds what takes pages of Node's own program out of this process: those that only starting needed, 30 MiB, stay mapped as long
 * as nobody asks for memory, and are counted as ours. What is needed again comes back from the page cache by itself, at
 * the first touch. Linux only; elsewhere, or if something is missing, the function does nothing and the log says why.
 */
export async function openProgramPages(log: Log): Promise<() => void> {
  try {
    const { default: koffi } = await import('koffi');
    const madvise = koffi.load(null).func('int madvise(uintptr_t, uintptr_t, int)') as unknown as Madvise;
    return () => {
      for (const { start, end } of cleanMappings(readFileSync('/proc/self/smaps', 'utf8'), programFile()))
        madvise(start, end - start, MADV_DONTNEED);
    };
  } catch (error) {
    log.debug('pages of the program stay mapped', { error: String(error) });
    return () => undefined;
  }
}

interface Mapping {
  readonly start: bigint;
  readonly end: bigint;
}

/**
 * Private mappings of `file` that nothing writes to and nothing has written to (`Anonymous: 0`: not even the linker, which makes
 * relocated tables read-only afterwards). Only their pages are the same again when they come from the file.
 */
export function cleanMappings(smaps: string, file: string): readonly Mapping[] {
  return smaps.split(/^(?=[\da-f]+-[\da-f]+ )/m).flatMap((part) => {
    const [, start, end, path] = MAPPING.exec(part) ?? [];
    if (path !== file || !/^Anonymous: +0 kB$/m.test(part)) return [];
    return [{ start: BigInt(`0x${start}`), end: BigInt(`0x${end}`) }];
  });
}

type Madvise = (address: bigint, length: bigint, advice: number) => number;

/** Linux, include/uapi/asm-generic/mman-common.h. */
const MADV_DONTNEED = 4;

/** proc(5), smaps: address, permissions, offset, device, inode, path. */
const MAPPING = /^([\da-f]+)-([\da-f]+) r-[-x]p [\da-f]+ \S+ \d+ +(.+)$/m;

/** As smaps names it. */
function programFile(): string {
  return readlinkSync('/proc/self/exe');
}
