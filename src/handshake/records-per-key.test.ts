import { describe, expect, it, vi } from 'vitest';
import { establishedPair, exchange, received } from './testing/pair.ts';
import { u8 } from './wire/writer.ts';

/** Few enough that a test can use them up; the real number would take minutes. */
const FEW = vi.hoisted(() => 3);

vi.mock(import('./limits.ts'), async (original) => ({ ...(await original()), RECORDS_PER_KEY: FEW }));

describe('RECORDS_PER_KEY', () => {
  it('is no more than RFC 8446 5.5 allows for AES-GCM: 2^24.5 full-size records', async () => {
    const limits = await vi.importActual<typeof import('./limits.ts')>('./limits.ts');
    expect(limits.RECORDS_PER_KEY).toBeLessThanOrEqual(2 ** 24.5);
    expect(limits.RECORDS_PER_KEY).toBeGreaterThan(FEW);
  });

  it.each(['client', 'server'] as const)('holds for a %s whose configuration names none', (role) => {
    const pair = establishedPair();
    const [own, other] = role === 'client' ? [pair.client, pair.server] : [pair.server, pair.client];
    const events = role === 'client' ? pair.clientEvents : pair.serverEvents;
    const updates = () => events.filter(({ type }) => type === 'key-update').length;
    const seen: number[] = [];
    for (let sent = 0; sent < 2 * FEW; sent += 1) {
      own.write(u8(1));
      seen.push(updates());
    }
    // The KeyUpdate goes out before the first write that would be one too many.
    expect(seen).toEqual([0, 0, 0, 1, 1, 1]);
    exchange(own, other);
    expect(other.failure).toBeUndefined();
    expect(received(other)).toHaveLength(2 * FEW);
  });
});
