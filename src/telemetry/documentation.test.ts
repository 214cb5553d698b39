import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { Watch } from '#runtime';
import { ATTRIBUTES } from './attributes.ts';
import { clientUntilFinished, REASONS, world } from './testing/handshakes.ts';
import { parsePrometheusText } from './testing/prometheus-text.ts';

const page = readFile(new URL('../../docs/observability.md', import.meta.url), 'utf8');

test('docs/observability.md lists every attribute of a span', async () => {
  const text = await page;
  for (const name of Object.values(ATTRIBUTES)) expect(text).toContain(`\`${name}\``);
});

test('docs/observability.md lists every metric with its labels', async () => {
  // An exporter, so that its own metrics are there as well.
  const environment = {
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://127.0.0.1:1/v1/traces',
    OTEL_EXPORTER_OTLP_TIMEOUT: '50',
  };
  const run = world({ environment });
  const { telemetry } = run;
  telemetry.watchCredentials('web', new Watch({ notAfter: 1, issuer: { notAfter: 2 }, renewals: 3 }));
  telemetry.watchRenewalFailures(
    'web',
    new Watch({ count: 1, last: { reason: REASONS['transport-reset'], detail: '' } }),
  );
  telemetry
    .openConnection({ service: 'web', direction: 'outbound', local: 'l', peerAddress: '::1' })
    .closed();
  telemetry.refused('web', 'inbound', REASONS['handshake-timeout']);
  telemetry.plaintext('web', 'Strict', 'refused');
  telemetry.routed('web', 'self');
  telemetry.retried('web', REASONS['transport-reset']);
  telemetry.ejected('web', REASONS['transport-reset']);
  telemetry.watchEjected('web', () => 1);
  telemetry.watchDiscovery('web', () => ({ ageMilliseconds: 1_500, addresses: 2 }));
  telemetry.watchDiscoveryService('controller', () => ({
    ageMilliseconds: 0,
    streams: 1,
    subscriptions: 2,
    policies: { accepted: 1, refused: 0 },
  }));
  telemetry.watchRestarted('controller', 'pods', 'expired');
  telemetry.watchUncaptured('web', () => [{ protocol: 'udp', flow: 'sent', packets: 1 }]);
  telemetry.watchPlaintext('web', () => [{ address: '10.0.0.1', passed: 1, refused: 0 }]);
  telemetry.watchCapture('web', () => true);
  telemetry.injection('controller', { result: 'injected', reasons: [] });
  telemetry.decision({
    service: 'web',
    policy: undefined,
    rule: undefined,
    allowed: true,
    enforcement: 'enforce',
  });
  await run.client().play(...clientUntilFinished('a'), { type: 'confirmed' });

  const rows = (await page).split('\n').filter((line) => /^\| `(sallyport|otel|nodejs)_/.test(line));
  const families = parsePrometheusText(await telemetry.metricsText());
  const listed = rows.flatMap((row) => [...row.matchAll(/`([^`]+)`/g)].map(([, name]) => name));
  for (const name of families.keys()) expect(listed).toContain(name);
  for (const [name, { samples }] of families) {
    const row = rows.find((line) => line.includes(`\`${name}\``)) ?? '';
    const own = Object.keys(samples[0]?.labels ?? {}).filter(
      (label) => label !== 'service' && label !== 'le',
    );
    if (name.startsWith('sallyport_') && name !== 'sallyport_tls_handshakes_total') {
      for (const label of own) expect(row, name).toContain(label);
    }
  }
  expect(rows.length).toBeGreaterThan(13);
  await telemetry.shutdown();
});
