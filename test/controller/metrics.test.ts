import { afterEach, beforeEach, expect, test } from 'vitest';
import { metricsOf, PATIENCE, World } from './world.ts';

/** Two programs start, and each series is waited for. */
const SLOW = { timeout: 240_000 };

let world: World;

beforeEach(async () => {
  world = await World.start();
});
afterEach(() => world.end());

/** Prometheus text with one series of that name and these labels, and a number. */
function series(name: string, ...labels: string[]): RegExp {
  const has = labels.map((label) => `(?=[^}]*${label})`).join('');
  return new RegExp(`^${name}\\{${has}[^}]*\\} -?[0-9.e+-]+$`, 'm');
}

test(
  'the gauges of certificates and discovery are on /metrics of a sidecar and a controller that run',
  SLOW,
  async () => {
    const controller = await world.controller('controller-0');
    const sidecar = await world.sidecar(controller.grpc);
    const ofBoth = ['leaf', 'issuer', 'root'].flatMap((kind) => [
      series('sallyport_certificate_not_after_seconds', `kind="${kind}"`),
      series('sallyport_certificate_seconds_left', `kind="${kind}"`),
    ]);
    const ofSidecar = [
      ...ofBoth,
      series('sallyport_certificate_seconds_to_outage', 'service="web"'),
      series('sallyport_certificate_clock_offset_seconds', 'service="web"'),
      series('sallyport_certificate_renewals_total', 'service="web"'),
      series('sallyport_discovery_age_seconds', 'service="web"'),
      series('sallyport_discovery_addresses', 'service="web"'),
    ];
    for (const pattern of ofSidecar) await expect.poll(() => metricsOf(sidecar), PATIENCE).toMatch(pattern);
    world.endWatches();
    const ofController = [
      ...ofBoth,
      series('sallyport_certificate_seconds_to_outage', 'service="controller"'),
      series('sallyport_discovery_age_seconds', 'service="controller"'),
      series('sallyport_discovery_streams', 'service="controller"'),
      series('sallyport_discovery_subscriptions', 'service="controller"'),
      series('sallyport_discovery_watch_restarts_total', 'kind="pods"', 'reason="ended"'),
      series('sallyport_discovery_watch_restarts_total', 'kind="nodes"', 'reason="ended"'),
      series('sallyport_issuance_requests_total', 'method="issue"', 'reason="none"'),
      series('sallyport_rpc_connections', 'service="controller"'),
    ];
    for (const pattern of ofController)
      await expect.poll(() => metricsOf(controller), PATIENCE).toMatch(pattern);
    expect(await metricsOf(controller)).toMatch(/^sallyport_discovery_streams\{.*\} 1$/m);
  },
);

test('renewals that fail are on /metrics of both, by reason', SLOW, async () => {
  const controller = await world.controller('controller-0');
  const unknown = world.token('JTI=unknown');
  world.kubernetes.reviews.clear();
  const sidecar = await world.sidecar(controller.grpc, unknown);
  const reason = 'reason="token-refused"';
  const failed = series('sallyport_certificate_renewal_failures_total', 'service="web"', reason);
  await expect.poll(() => metricsOf(sidecar), PATIENCE).toMatch(failed);
  const refused = series('sallyport_issuance_requests_total', 'method="issue"', reason);
  await expect.poll(() => metricsOf(controller), PATIENCE).toMatch(refused);
});
