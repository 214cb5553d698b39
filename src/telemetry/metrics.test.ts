import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ALERTS, type ConnectionEvent, type Reason } from '#handshake';
import { Watch } from '#runtime';
import type { CredentialDates, RenewalFailures } from './certificate-meters.ts';
import { TELEMETRY_REASONS } from './explanations.ts';
import { ReasonLabels } from './labels.ts';
import {
  alert,
  clientHello,
  clientUntilFinished,
  failed,
  REASONS,
  serverHello,
  serverUntilFinished,
  type World,
  world,
} from './testing/handshakes.ts';
import { type Family, parsePrometheusText, type Sample } from './testing/prometheus-text.ts';

const scrape = async (run: World, service?: string): Promise<Map<string, Family>> =>
  parsePrometheusText(await run.telemetry.metricsText(service));

async function samples(
  run: World,
  family: string,
  labels: Record<string, string> = {},
): Promise<readonly Sample[]> {
  const found = (await scrape(run)).get(family);
  expect(found, family).toBeDefined();
  return found!.samples.filter((sample) =>
    Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
  );
}

async function value(run: World, family: string, labels: Record<string, string> = {}): Promise<number> {
  const found = await samples(run, family, labels);
  expect(found).toHaveLength(1);
  return found[0]!.value;
}

describe('handshakes', () => {
  test('are counted by role, version, suite, group, result, reason and alert', async () => {
    const run = world();
    await run.client().play(...clientUntilFinished('a'), { type: 'confirmed' });
    const server = run.server();
    await server.play(...serverUntilFinished('a'));
    server.recorder.refused(REASONS['denied-by-policy'], 'why', 'p');
    await run
      .server()
      .play(clientHello('b'), alert('sent', 'handshake_failure', 40), failed('no-common-suite'));

    const agreed = { version: '1.3', suite: 'TLS_AES_128_GCM_SHA256', group: 'x25519' };
    const told = (await samples(run, 'sallyport_tls_handshakes_total')).map(({ labels, value: count }) => [
      labels,
      count,
    ]);
    expect(told).toEqual([
      [{ service: 'web', role: 'client', ...agreed, result: 'ok', reason: 'none', alert: 'none' }, 1],
      [
        {
          service: 'orders',
          role: 'server',
          ...agreed,
          result: 'refused',
          reason: 'denied-by-policy',
          alert: 'access_denied',
        },
        1,
      ],
      [
        {
          service: 'orders',
          role: 'server',
          version: 'none',
          suite: 'none',
          group: 'none',
          result: 'failed',
          reason: 'no-common-suite',
          alert: 'handshake_failure',
        },
        1,
      ],
    ]);
  });

  test('are timed in seconds, in buckets from half a millisecond to ten seconds', async () => {
    const run = world();
    await run.client().play(...clientUntilFinished('a'), 4_000, { type: 'confirmed' });
    const family = (await scrape(run)).get('sallyport_tls_handshake_duration_seconds');
    expect(family).toMatchObject({ type: 'histogram', unit: 'seconds' });
    const bounds = family!.samples.filter(({ name }) => name.endsWith('_bucket'));
    expect(bounds.map(({ labels }) => labels.le)).toEqual(
      [
        '0.0005',
        '0.001',
        '0.0015',
        '0.002',
        '0.003',
        '0.005',
        '0.0075',
        '0.01',
        '0.025',
        '0.05',
        '0.1',
        '0.25',
        '0.5',
        '1',
      ].concat(['2.5', '5', '10', '+Inf']),
    );
    // 10 ms to the Finished; the four seconds in which the application thought are not the handshake's.
    expect(bounds.map(({ value: count }) => count)).toEqual([
      ...Array<number>(7).fill(0),
      ...Array<number>(11).fill(1),
    ]);
    expect(family!.samples.find(({ name }) => name.endsWith('_sum'))?.value).toBe(0.01);
  });

  test('whatever a peer sends, the number of series does not depend on it', async () => {
    const run = world();
    const text = fc.string({ unit: 'binary', maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(
        text,
        text,
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.integer({ min: 0, max: 255 }),
        text,
        async (name, protocol, random, description, detail) => {
          const known = Object.entries(ALERTS).find(([, number]) => number === description)?.[0];
          const seen = {
            type: 'alert',
            direction: 'received',
            alert: known as keyof typeof ALERTS | undefined,
            description,
          } as const satisfies ConnectionEvent;
          const peer = {
            publicKey: random,
            keyType: 'ec-p256',
            identity: name,
            serial: detail,
            notAfter: description,
          } as const;
          await run
            .server()
            .play(
              { type: 'client-hello', random, serverName: name, alpn: [protocol] },
              serverHello(name),
              { type: 'alpn', protocol },
              { type: 'peer-verified', peer, scheme: 'ed25519' },
              seen,
              failed('alert-received', detail),
            );
        },
      ),
      { numRuns: 300 },
    );
    const series = await samples(run, 'sallyport_tls_handshakes_total');
    // One per alert of RFC 8446 6 at most, and one for all other numbers.
    expect(series.length).toBeLessThanOrEqual(Object.keys(ALERTS).length + 1);
    const names = new Set([...Object.keys(ALERTS), 'other']);
    for (const { labels } of series) expect(names).toContain(labels.alert);
    expect(new Set(series.map(({ labels }) => labels.reason))).toEqual(new Set(['alert-received']));
  });

  test('a page for one service has only its series', async () => {
    const run = world();
    await run.client().play(...clientUntilFinished('a'), { type: 'confirmed' });
    await run.server().play(failed('transport-reset'));
    for (const [name, { samples: found }] of await scrape(run, 'web')) {
      const expected = name.startsWith('nodejs_') ? undefined : 'web';
      for (const { labels } of found) expect(labels.service, name).toBe(expected);
    }
    expect((await scrape(run, 'web')).get('sallyport_tls_handshakes_total')?.samples).toHaveLength(1);
    expect((await scrape(run)).get('sallyport_tls_handshakes_total')?.samples).toHaveLength(2);
  });
});

describe('reason labels', () => {
  test('are codes as tables have them, nothing else', () => {
    const labels = new ReasonLabels();
    expect(labels.label('unknown-issuer')).toBe('unknown-issuer');
    for (const code of ['', 'Upper', 'with space', 'a'.repeat(65), 'trailing-', 'é', '{evil="1"}']) {
      expect(labels.label(code)).toBe('other');
    }
    expect(labels.label(undefined)).toBe('none');
  });

  test('are a bounded set even if something makes up codes', () => {
    const labels = new ReasonLabels();
    const seen = new Set(Array.from({ length: 10_000 }, (_, index) => labels.label(`code-${index}`)));
    expect(seen.size).toBe(401);
    expect(labels.label('code-0')).toBe('code-0');
  });
});

describe('certificates', () => {
  const dates = (leaf: number, issuer: number, renewals: number): CredentialDates => {
    return { notAfter: leaf, issuer: { notAfter: issuer }, renewals };
  };

  test('end at a date that moves with the renewal, and are so many seconds away', async () => {
    const run = world();
    const start = run.clock.now();
    const credentials = new Watch<CredentialDates | undefined>(undefined);
    run.telemetry.watchCredentials('web', credentials);
    run.telemetry.watchRoot('web', new Watch({ notAfter: start + 86_400_000 }));
    const leaf = { service: 'web', kind: 'leaf' };
    expect(await samples(run, 'sallyport_certificate_not_after_seconds', leaf)).toEqual([]);

    credentials.set(dates(start + 120_000, start + 3_600_000, 0));
    await run.clock.advance(90_000);
    expect(await value(run, 'sallyport_certificate_not_after_seconds', leaf)).toBe(start / 1000 + 120);
    expect(await value(run, 'sallyport_certificate_seconds_left', leaf)).toBe(30);
    expect(await value(run, 'sallyport_certificate_seconds_left', { kind: 'issuer' })).toBe(3_510);
    expect(await value(run, 'sallyport_certificate_seconds_left', { kind: 'root' })).toBe(86_310);

    credentials.set(dates(start + 300_000, start + 3_600_000, 1));
    expect(await value(run, 'sallyport_certificate_seconds_left', leaf)).toBe(210);
    expect(await value(run, 'sallyport_certificate_renewals_total', { service: 'web' })).toBe(1);
    await run.clock.advance(310_000);
    expect(await value(run, 'sallyport_certificate_seconds_left', leaf)).toBe(-100);
  });

  test('are forgotten when their sidecar ends', async () => {
    const run = world();
    const end = run.telemetry.watchCredentials('web', new Watch<CredentialDates | undefined>(dates(1, 2, 0)));
    expect(await samples(run, 'sallyport_certificate_seconds_left')).toHaveLength(2);
    end();
    expect((await scrape(run)).get('sallyport_certificate_seconds_left')?.samples ?? []).toEqual([]);
  });

  test('failed renewals are counted by reason, across the successes that reset the run', async () => {
    const run = world();
    const failure = (reason: Reason, count: number): RenewalFailures => ({
      count,
      last: { reason, detail: '' },
    });
    const none = { count: 0, last: undefined };
    const failures = new Watch<RenewalFailures>(none);
    run.telemetry.watchRenewalFailures('web', failures);
    failures.set(failure(REASONS['transport-reset'], 1));
    failures.set(failure(REASONS['transport-reset'], 2));
    failures.set(none);
    failures.set(failure(REASONS['unknown-issuer'], 1));
    const family = 'sallyport_certificate_renewal_failures_total';
    expect(await value(run, family, { reason: 'transport-reset' })).toBe(2);
    expect(await value(run, family, { reason: 'unknown-issuer' })).toBe(1);
  });
});

describe('connections', () => {
  test('are counted while they are open, when they end, and byte by byte in between', async () => {
    const run = world();
    const open = () =>
      run.telemetry.openConnection({
        service: 'web',
        direction: 'outbound',
        local: 'spiffe://shop/web',
        peerAddress: '::1',
      });
    const [first, second] = [open(), open()];
    first.received(1_000);
    first.sent(10);
    second.sent(5);
    const outbound = { service: 'web', direction: 'outbound' };
    expect(await value(run, 'sallyport_connections_open', outbound)).toBe(2);
    expect(await value(run, 'sallyport_connections_io_bytes_total', { ...outbound, flow: 'sent' })).toBe(15);

    first.closed();
    first.closed(REASONS['transport-reset']);
    second.closed(REASONS['transport-reset'], 'ECONNRESET');
    expect(await value(run, 'sallyport_connections_open', outbound)).toBe(0);
    expect(await value(run, 'sallyport_connections_opened_total', outbound)).toBe(2);
    expect(await value(run, 'sallyport_connections_closed_total', { reason: 'none' })).toBe(1);
    expect(await value(run, 'sallyport_connections_closed_total', { reason: 'transport-reset' })).toBe(1);
    expect(await value(run, 'sallyport_connections_io_bytes_total', { ...outbound, flow: 'received' })).toBe(
      1_000,
    );
  });

  test('that are refused, pass in plaintext or are decided by policy have their own counters', async () => {
    const run = world();
    run.telemetry.refused('web', 'inbound', REASONS['handshake-timeout']);
    run.telemetry.plaintext('web', 'Permissive', 'passed');
    run.telemetry.decision({
      service: 'web',
      policy: 'shop/"odd"\\name',
      rule: 2,
      allowed: false,
      enforcement: 'shadow',
    });
    expect(await value(run, 'sallyport_connections_refused_total', { reason: 'handshake-timeout' })).toBe(1);
    expect(
      await value(run, 'sallyport_connections_plaintext_total', { mode: 'permissive', result: 'passed' }),
    ).toBe(1);
    const decided = { policy: 'shop/"odd"\\name', rule: '2', result: 'denied', enforcement: 'shadow' };
    expect(await value(run, 'sallyport_policy_decisions_total', decided)).toBe(1);
  });
});

test('every metric has a help text, and every unit is a suffix of its name', async () => {
  const run = world();
  await run.client().play(...clientUntilFinished('a'), { type: 'confirmed' });
  const families = await scrape(run);
  expect(families.size).toBeGreaterThan(1);
  for (const [name, { help, unit }] of families) {
    expect(help.length, name).toBeGreaterThan(10);
    expect(help, name).not.toContain('description missing');
    if (unit !== undefined) expect(name.endsWith(`_${unit}`), name).toBe(true);
  }
});

test('the reasons of telemetry itself have the form of labels', () => {
  const codes = Object.keys(TELEMETRY_REASONS);
  expect(codes.map((code) => new ReasonLabels().label(code))).toEqual(codes);
});
