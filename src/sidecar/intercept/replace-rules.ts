import type { Refusal } from '#handshake';
import { err, ok, type Result } from '#runtime';
import { type PacketFilter, type Undo, undoAll } from './packet-filter.ts';
import { uncertain } from './refused-by.ts';
import type { CaptureSettings } from './settings.ts';

/**
 * The new rules come before the others' go, so that there is no moment without any. What fails is taken back. A filter
 * that keeps its rules in the same place is another name of the chosen one, and has replaced its own.
 */
export async function replaceRules(
  chosen: PacketFilter,
  filters: readonly PacketFilter[],
  settings: CaptureSettings,
): Promise<Result<void, Refusal>> {
  const applied = await chosen.apply(settings);
  if (!applied.ok) return applied;
  const removed = await removeAll(await elsewhere(chosen, filters));
  if (removed.ok) return removed;
  const undone = await applied.value();
  return err(undone.ok ? removed.error : uncertain(removed.error, undone.error));
}

async function elsewhere(
  chosen: PacketFilter,
  filters: readonly PacketFilter[],
): Promise<readonly PacketFilter[]> {
  const place = await chosen.place();
  const found: PacketFilter[] = [];
  for (const filter of filters) if ((await filter.place()) !== place) found.push(filter);
  return found;
}

/** All of them, or none. */
export async function removeAll(filters: readonly PacketFilter[]): Promise<Result<void, Refusal>> {
  const undos: Undo[] = [];
  for (const filter of filters) {
    const removed = await filter.remove();
    if (removed.ok) {
      undos.push(removed.value);
      continue;
    }
    const undone = await undoAll(undos);
    return err(undone.ok ? removed.error : uncertain(removed.error, undone.error));
  }
  return ok(undefined);
}
