import { expect, test, vi } from 'vitest';
import { needs } from '../../support/child.ts';
import { type Machine, Network } from '../../support/netns.ts';
import { init, rulesOf } from './inside.ts';
import { STORY_MILLISECONDS } from './story.ts';

vi.setConfig({ testTimeout: STORY_MILLISECONDS });

/** A rule of somebody else that leads to a chain of ours, of one family: that chain can't be deleted while it is there. */
function holdsOn(pod: Machine): void {
  const rule = ['-t', 'nat', '-A', 'OUTPUT', '-p', 'sctp', '-j', 'SALLYPORT_INBOUND'];
  expect(pod.run('ip6tables', rule)).toMatchObject({ code: 0 });
}

test('rules that cannot give way to those of another tool stay whole, and so does what that tool had', async (context) => {
  for (const program of ['nft', 'iptables']) needs(context, program);
  const pod = (await Network.create(context, ['pod'])).machine('pod');
  expect(init(pod, ['--filter', 'iptables'])).toMatchObject({ code: 0 });
  holdsOn(pod);
  const [iptables, nothing] = [rulesOf(pod, 'iptables'), ourTable(pod)];
  expect(nothing).toBe('');
  const refused = init(pod, ['--filter', 'nft']);
  expect(refused.stderr).toContain('the rules are what they were before');
  expect(refused).toMatchObject({ code: 1 });
  expect(rulesOf(pod, 'iptables')).toBe(iptables);
  expect(ourTable(pod)).toBe('');

  // The same where nft had rules as well.
  const printed = init(pod, [
    '--print',
    '--exclude-outbound-ports',
    '22',
    '--exclude-outbound-networks',
    'fd00::/8',
  ]);
  expect(pod.run('nft', ['-f', '-'], { input: printed.stdout })).toMatchObject({ code: 0 });
  const table = ourTable(pod);
  expect(table).toContain('fd00::/8');
  expect(init(pod, ['--filter', 'nft'])).toMatchObject({ code: 1 });
  expect(rulesOf(pod, 'iptables')).toBe(iptables);
  expect(ourTable(pod)).toBe(table);
  const removed = init(pod, ['--remove']);
  expect(removed).toMatchObject({ code: 1 });
  expect(removed.stderr).toContain('the rules are what they were before');
  expect(rulesOf(pod, 'iptables')).toBe(iptables);
  expect(ourTable(pod)).toBe(table);

  pod.run('ip6tables', ['-t', 'nat', '-D', 'OUTPUT', '-p', 'sctp', '-j', 'SALLYPORT_INBOUND']);
  expect(init(pod, ['--filter', 'nft'])).toMatchObject({ code: 0 });
  expect(rulesOf(pod, 'iptables')).not.toContain('SALLYPORT');
  expect(ourTable(pod)).not.toContain('fd00::/8');
  expect(init(pod, ['--remove'])).toMatchObject({ code: 0 });
  expect(ourTable(pod)).toBe('');
});

function ourTable(pod: Machine): string {
  return pod.run('nft', ['--stateless', 'list', 'table', 'inet', 'sallyport']).stdout;
}
