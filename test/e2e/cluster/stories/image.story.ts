import { expect } from 'vitest';
import { IMAGES } from '../images.ts';
import { pod } from '../namespace.ts';
import { MAY_SET_RULES, RESTRICTED } from '../security.ts';
import { story } from '../story.ts';

const SALLYPORT = { name: 'sallyport', image: IMAGES.sallyport, imagePullPolicy: 'Never' };

story(
  'the image runs as uid 1337 with a read-only root, no capability and the default seccomp filter',
  async ({ namespace }) => {
    await namespace.kubectl([
      'label',
      'namespace',
      namespace.name,
      'pod-security.kubernetes.io/enforce=restricted',
    ]);
    await namespace.apply(
      pod('help', [{ ...SALLYPORT, args: ['--help'], securityContext: RESTRICTED }], {
        spec: { restartPolicy: 'Never' },
      }),
    );
    await namespace.kubectl([
      'wait',
      'pod/help',
      '--for=jsonpath={.status.phase}=Succeeded',
      '--timeout=180s',
    ]);
    expect(await namespace.kubectl(['logs', 'help'])).toContain('Usage: sallyport');
  },
);

story('the image says which user it runs as, so that runAsNonRoot alone is enough', async ({ namespace }) => {
  const securityContext = { ...RESTRICTED, runAsUser: undefined };
  await namespace.apply(
    pod('help', [{ ...SALLYPORT, args: ['--help'], securityContext }], { spec: { restartPolicy: 'Never' } }),
  );
  await namespace.kubectl(['wait', 'pod/help', '--for=jsonpath={.status.phase}=Succeeded', '--timeout=180s']);
});

story('the image has no shell', async ({ namespace }) => {
  await namespace.apply(
    pod('shell', [{ ...SALLYPORT, command: ['sh', '-c', 'true'] }], { spec: { restartPolicy: 'Never' } }),
  );
  const reason = '.status.containerStatuses[0].state.terminated.message';
  await namespace.kubectl(['wait', 'pod/shell', '--for=jsonpath={.status.phase}=Failed', '--timeout=180s']);
  expect(await namespace.field('pod/shell', reason)).toContain('executable file not found');
});

story('the image has what sets the rules', async ({ namespace }) => {
  for (const [name, command] of [
    ['nft', ['nft', 'list', 'ruleset']],
    ['iptables', ['iptables-save']],
    ['ip6tables', ['ip6tables-save']],
  ] as const) {
    await namespace.apply(
      pod(name, [{ ...SALLYPORT, command, securityContext: MAY_SET_RULES }], {
        spec: { restartPolicy: 'Never' },
      }),
    );
    await namespace.kubectl([
      'wait',
      `pod/${name}`,
      '--for=jsonpath={.status.phase}=Succeeded',
      '--timeout=180s',
    ]);
  }
});
