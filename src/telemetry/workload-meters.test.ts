import { expect, test } from 'vitest';
import { meterWithReader } from './testing/meter.ts';
import { parsePrometheusText } from './testing/prometheus-text.ts';
import { type PlaintextCount, WorkloadMeters } from './workload-meters.ts';

const PLAINTEXT = 'sallyport_plaintext_peer_connections_total';

test('callers in plaintext are named, and a thousand of them make no more than 21 pairs of series', async () => {
  const { meter, read } = meterWithReader();
  const meters = new WorkloadMeters(meter);
  const peers: PlaintextCount[] = [{ address: '10.0.0.1', passed: 2, refused: 1 }];
  const end = meters.watchPlaintext('web', () => peers);
  const series = async () => parsePrometheusText(await read()).get(PLAINTEXT)?.samples ?? [];
  expect(await series()).toMatchObject([
    { labels: { service: 'web', peer: '10.0.0.1', result: 'passed' }, value: 2 },
    { labels: { service: 'web', peer: '10.0.0.1', result: 'refused' }, value: 1 },
  ]);
  for (let index = 0; index < 1_000; index += 1) {
    peers.push({ address: `fd00::${index.toString(16)}`, passed: 1, refused: 0 });
  }
  const many = await series();
  expect(many).toHaveLength(42);
  expect(many[0]).toMatchObject({ labels: { peer: '10.0.0.1' }, value: 2 });
  expect(many.slice(-2)).toMatchObject([
    { labels: { peer: 'other', result: 'passed' }, value: 981 },
    { labels: { peer: 'other', result: 'refused' }, value: 0 },
  ]);
  end();
});

test('capture is 0 until it is verified', async () => {
  const { meter, read } = meterWithReader();
  let verified = false;
  const end = new WorkloadMeters(meter).watchCapture('web', () => verified);
  const value = async () =>
    parsePrometheusText(await read()).get('sallyport_capture_verified')?.samples[0]?.value;
  expect(await value()).toBe(0);
  verified = true;
  expect(await value()).toBe(1);
  end();
});
