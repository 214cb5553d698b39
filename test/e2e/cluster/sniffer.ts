import { spawnSync } from 'node:child_process';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, inject, type TestContext } from 'vitest';
import { temporaryFolder } from '../../support/temporary.ts';
import { type Stream, streamsOf } from '../../support/wire.ts';
import type { Cluster } from './cluster.ts';
import { eventually } from './command.ts';
import type { Namespace } from './namespace.ts';

/** The bare cluster's nodes have this machine's programs and files; those of kind are containers with their own. */
export function needsSniffer(skip: TestContext['skip']): void {
  const handle = inject('cluster');
  if ('provider' in handle && handle.provider !== 'bare') skip('the nodes of kind have no tcpdump');
  if (spawnSync('which', ['tcpdump']).status !== 0) skip('tcpdump is not installed');
}

/** What passes the device of a pod on its node while `calls` are made, but for the control ports. */
export async function wireOf(
  cluster: Cluster,
  namespace: Namespace,
  pod: string,
  calls: () => Promise<void>,
): Promise<readonly Stream[]> {
  const node = await namespace.field(`pod/${pod}`, '.spec.nodeName');
  const [address = ''] = await namespace.addresses(pod);
  const route = await cluster.onNode(node, ['ip', '-oneline', 'route', 'get', address]);
  const [, device = ''] = / dev (\S+)/.exec(route) ?? [];
  const file = join(temporaryFolder('wire'), 'wire.pcap');
  const enough = `${file}.enough`;
  const sniffed = cluster.onNode(node, ['sh', '-c', SNIFF, 'sh', device, file, enough], {
    timeoutMilliseconds: SNIFFED_MILLISECONDS,
  });
  try {
    await eventually(async () => expect(existsSync(file) && statSync(file).size).toBeGreaterThanOrEqual(24));
    await calls();
  } finally {
    writeFileSync(enough, '');
    await sniffed;
  }
  return streamsOf(file).filter(
    ({ fromPort, toPort }) => !CONTROL_PORTS.has(fromPort) && !CONTROL_PORTS.has(toPort),
  );
}

/** Until the last file is there, and a moment more: what has passed is not written at once. */
const SNIFF = `
tcpdump -Z root --immediate-mode -U -i "$1" -w "$2" tcp &
while [ ! -e "$3" ]; do sleep 0.2; done
sleep 1; kill -INT $!; wait $!`;
const SNIFFED_MILLISECONDS = 500_000;
/** Readiness and metrics, which are plaintext for the kubelet: listed in docs/capture.md. */
const CONTROL_PORTS = new Set([15_020, 15_021]);
