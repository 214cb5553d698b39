import { expect } from 'vitest';
import { applicationContainer, pod, toolsContainer } from '../namespace.ts';
import { MAY_SET_RULES, RESTRICTED } from '../security.ts';
import { story } from '../story.ts';

const RULES = `
table inet story {
  chain output {
    type nat hook output priority -100; policy accept;
    meta skuid 1337 return
    tcp dport 81 redirect to :8080
  }
}`;

story(
  'an init container sets nft rules that hold for the pod, but not for uid 1337',
  async ({ namespace }) => {
    const init = toolsContainer('rules', `nft -f - <<'END'${RULES}\nEND`);
    const sidecar = applicationContainer('sidecar', ['serve', '8080']);
    await namespace.apply(
      pod('pod', [applicationContainer('application', ['wait'])], {
        initContainers: [
          { ...init, securityContext: MAY_SET_RULES },
          {
            ...sidecar,
            restartPolicy: 'Always',
            securityContext: RESTRICTED,
            startupProbe: { httpGet: { port: 8080 }, periodSeconds: 1, failureThreshold: 180 },
          },
        ],
      }),
    );
    await namespace.until('Ready', ['pod/pod']);
    const get = ['node', '/app/app.ts', 'get', 'http://192.0.2.1:81/'];
    expect(JSON.parse(await namespace.exec('pod', get, 'application'))).toMatchObject({ name: 'pod' });
    const out = namespace.exec('pod', get, 'sidecar');
    await expect(out).rejects.toThrow(/TimeoutError|ENETUNREACH|EHOSTUNREACH|ECONNREFUSED/);
  },
);

story('a Job with a native sidecar completes', async ({ namespace }) => {
  const template = pod('job', [toolsContainer('work', 'true')], {
    initContainers: [
      {
        ...applicationContainer('sidecar', ['serve', '8080']),
        restartPolicy: 'Always',
        securityContext: RESTRICTED,
      },
    ],
    spec: { restartPolicy: 'Never' },
  });
  await namespace.apply({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'job' },
    spec: { backoffLimit: 0, template: { metadata: template.metadata, spec: template.spec } },
  });
  await namespace.until('Complete', ['job/job']);
});
