import type { Refusal } from '#handshake';
import { err, ok, type Result } from '#runtime';
import type { PacketFilter } from './packet-filter.ts';
import { INTERCEPT_REASONS } from './reason.ts';
import type { CaptureSettings } from './settings.ts';

/**
 * The first that would take the rules. Where none would, the error says what each of them said: an operator has to know
 * why the first choice failed, not only the last.
 */
export async function chooseFilter(
  filters: readonly PacketFilter[],
  settings: CaptureSettings,
): Promise<Result<PacketFilter, Refusal>> {
  const refusals: Refusal[] = [];
  for (const filter of filters) {
    const checked = await filter.check(settings);
    if (checked.ok) return ok(filter);
    refusals.push(checked.error);
  }
  const missing = INTERCEPT_REASONS['packet-filter-missing'];
  const reason = refusals.find((refusal) => refusal.reason !== missing)?.reason ?? missing;
  return err({ reason, detail: refusals.map(({ detail }) => detail).join('; ') });
}
