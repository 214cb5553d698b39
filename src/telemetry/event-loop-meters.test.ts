import { expect, test } from 'vitest';
import { silentLog } from '#runtime';
import { FakeClock } from '#runtime/testing';
import { EventLoopMeters, type LoopDelays } from './event-loop-meters.ts';
import { meterWithReader } from './testing/meter.ts';
import { parsePrometheusText } from './testing/prometheus-text.ts';
import { Telemetry } from './telemetry.ts';

test('a delay is shown for at least one minute and at most two, however often somebody looks', async () => {
  const clock = new FakeClock();
  let now: LoopDelays = { p50: 0.001, p99: 0.4, max: 0.5 };
  const { meter, read } = meterWithReader();
  const meters = new EventLoopMeters(meter, clock, {
    read: () => now,
    reset: () => {
      now = { p50: 0.001, p99: 0.002, max: 0.003 };
    },
    stop: () => undefined,
  });
  const max = async (): Promise<number> => {
    const families = parsePrometheusText(await read());
    return families.get('nodejs_eventloop_delay_max_seconds')?.samples[0]?.value ?? Number.NaN;
  };
  expect(await max()).toBe(0.5);
  await clock.advance(30_000);
  expect([await max(), await max()]).toEqual([0.5, 0.5]);
  await clock.advance(31_000);
  expect([await max(), await max()]).toEqual([0.5, 0.5]);
  await clock.advance(61_000);
  expect(await max()).toBe(0.5);
  expect(await max()).toBe(0.003);
  meters.stop();
});

test('what holds for the process stands on the page of each of its services', async () => {
  const telemetry = Telemetry.create({ clock: new FakeClock(), log: silentLog, environment: {} });
  telemetry.routed('web', 'self');
  for (const service of [undefined, 'web', 'orders']) {
    const families = parsePrometheusText(await telemetry.metricsText(service));
    expect(families.get('nodejs_eventloop_delay_p99_seconds')?.samples).toMatchObject([{ labels: {} }]);
    expect(families.get('nodejs_eventloop_utilization')?.samples[0]?.value).toBeGreaterThanOrEqual(0);
    expect(families.has('sallyport_connections_routed_total')).toBe(service !== 'orders');
  }
  await telemetry.shutdown();
});
