import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { applyShared } from '../apply-shared.ts';
import type { Cluster } from '../cluster.ts';
import { eventually } from '../command.ts';
import { Installation } from '../installation.ts';
import { applicationContainer, type Manifest, type Namespace, pod, service } from '../namespace.ts';
import { story } from '../story.ts';

const API = 'mesh.sallyport.dev/v1alpha1';
const LABEL = 'mesh.sallyport.dev/inject';
/** From when the API server took an object's change to its effect. */
const IN_FORCE_MILLISECONDS = 2_000;

function account(name: string): Manifest {
  return { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } };
}

function client(name: string): Manifest {
  return pod(name, [applicationContainer('application', ['wait'])], { spec: { serviceAccountName: name } });
}

function policy(name: string, spec: object): Manifest {
  return { apiVersion: API, kind: 'MeshPolicy', metadata: { name }, spec };
}

function mode(mode: 'Permissive' | 'Strict'): Manifest {
  const targetRef = { kind: 'ServiceAccount', name: 'server' };
  return { apiVersion: API, kind: 'MeshTLS', metadata: { name: 'server' }, spec: { targetRef, mode } };
}

async function installKinds(cluster: Cluster): Promise<void> {
  for (const name of ['meshpolicies', 'meshtlses']) {
    const file = new URL(`../../../../deploy/k8s/crds/${name}.yaml`, import.meta.url);
    await applyShared(cluster, readFileSync(file, 'utf8'));
    const crd = `crd/${name}.mesh.sallyport.dev`;
    await cluster.kubectl(['wait', crd, '--for=condition=Established', '--timeout=120s']);
  }
}

/** Whether a new connection of a pod's application is served. */
async function passes(namespace: Namespace, from: string, port = 8080): Promise<boolean> {
  const ask = `fetch('http://server:${port}/', { headers: { connection: 'close' } })
    .then(async (answer) => console.log(answer.status === 200 ? 'passes' : 'refused'), () => console.log('refused'))`;
  return (await namespace.exec(`pod/${from}`, ['node', '-e', ask], 'application')).includes('passes');
}

/**
 * The loop runs in the pod, so that what is measured is the mesh and not how fast a command gets into a container: the
 * times, Unix milliseconds, at which the answer became another.
 */
function watcher(): string {
  return `
    let last = '';
    const ask = async () => {
      const began = Date.now();
      const now = await fetch('http://server:8080/', { headers: { connection: 'close' }, signal: AbortSignal.timeout(1000) })
        .then(() => 'passes', () => 'refused');
      if (now !== last) console.log(began + ' ' + (last = now));
      setTimeout(ask, 50);
    };
    ask();`;
}

/** When the server's answer to `watch` became `what`, Unix milliseconds. */
async function changedTo(namespace: Namespace, what: 'passes' | 'refused', after: number): Promise<number> {
  return eventually(async () => {
    const lines = (await namespace.kubectl(['logs', 'pod/watch', '--container', 'application']))
      .trim()
      .split('\n');
    const [time = '', is] = lines.at(-1)?.split(' ') ?? [];
    expect([is, Number(time) > after - 1_000]).toEqual([what, true]);
    return Number(time);
  }, 30_000);
}

story(
  'policies as objects: a fresh default, Allow, Deny, Shadow, Permissive until it can be Strict, each in force within two seconds',
  async ({ cluster, namespace, turn, onTestFinished }) => {
    const mesh = new Installation(cluster, namespace.name.replace('story', 'sallyport'));
    // In the opposite order, whatever comes of each.
    onTestFinished(await turn.withMesh());
    onTestFinished(() => mesh.remove());
    await installKinds(cluster);
    await mesh.install('policy.quietPeriod=10s');
    await cluster.kubectl(['label', 'namespace', namespace.name, `${LABEL}=enabled`]);
    const server = pod('server', [applicationContainer('application', ['serve', '8080'])], {
      spec: { serviceAccountName: 'server' },
    });
    const watch = pod(
      'watch',
      [{ ...applicationContainer('application', []), command: ['node', '-e', watcher()] }],
      {
        spec: { serviceAccountName: 'web' },
      },
    );
    // A ready webhook is not yet one that the API server's node has a route to.
    await eventually(() =>
      namespace.apply(
        ...['server', 'web', 'batch'].map(account),
        server,
        service('server', 8080),
        client('web'),
        client('batch'),
        watch,
      ),
    );
    // Without a sidecar: it speaks plaintext.
    const old = pod('old', [applicationContainer('application', ['wait'])], {
      labels: { [LABEL]: 'disabled' },
    });
    const shadow = {
      targetRef: { kind: 'ServiceAccount', name: 'server' },
      action: 'Deny',
      enforcement: 'Shadow',
      rules: [{ from: [{ serviceAccounts: [{ name: 'web', namespace: namespace.name }] }] }],
    };
    await namespace.apply(old, mode('Permissive'), policy('shadow', shadow));
    await namespace.until('Ready', ['pod/old', 'pod/server', 'pod/web', 'pod/batch', 'pod/watch']);

    // Nothing was declared: whoever is of the mesh passes.
    await eventually(async () => {
      expect([await passes(namespace, 'web'), await passes(namespace, 'batch')]).toEqual([true, true]);
    });
    // Whoever isn't too, where the mode lets it.
    expect(await passes(namespace, 'old')).toBe(true);

    const inForce = async (what: 'passes' | 'refused', change: () => Promise<unknown>): Promise<void> => {
      const before = Date.now();
      await change();
      const taken = Date.now();
      const took = (await changedTo(namespace, what, before)) - taken;
      console.log(`${what} ${took} ms after the change was taken`);
      expect(took).toBeLessThan(IN_FORCE_MILLISECONDS);
    };
    const rule = (name: string) => ({ from: [{ serviceAccounts: [{ name, namespace: namespace.name }] }] });
    const target = { targetRef: { kind: 'ServiceAccount', name: 'server' } };

    // The first Allow that selects the server closes it to others: by account, by namespace, by port, by label.
    await inForce('refused', () =>
      namespace.apply(policy('callers', { ...target, action: 'Allow', rules: [rule('batch')] })),
    );
    expect(await passes(namespace, 'batch')).toBe(true);
    await inForce('passes', () =>
      namespace.apply(policy('callers', { ...target, action: 'Allow', rules: [rule('batch'), rule('web')] })),
    );
    const ofNamespace = { from: [{ namespaces: ['elsewhere'] }] };
    await inForce('refused', () =>
      namespace.apply(policy('callers', { ...target, action: 'Allow', rules: [ofNamespace] })),
    );
    const inNamespace = { from: [{ namespaces: [namespace.name] }], to: [{ ports: [8080] }] };
    await inForce('passes', () =>
      namespace.apply(policy('callers', { ...target, action: 'Allow', rules: [inNamespace] })),
    );
    await inForce('refused', () =>
      namespace.apply(
        policy('callers', {
          ...target,
          action: 'Allow',
          rules: [{ ...inNamespace, to: [{ ports: [8081] }] }],
        }),
      ),
    );
    await inForce('passes', () => namespace.kubectl(['delete', 'meshpolicy', 'callers', '--wait=false']));

    // Deny wins, also by a label that the pod takes on later.
    const everybody = {
      selector: { matchLabels: { quarantine: 'yes' } },
      action: 'Deny',
      rules: [{ from: [{ peer: 'Any' }] }],
    };
    await namespace.apply(
      policy('quarantine', everybody),
      policy('callers', { ...target, action: 'Allow', rules: [rule('web')] }),
    );
    expect(await passes(namespace, 'web')).toBe(true);
    await inForce('refused', () => namespace.kubectl(['label', 'pod/server', 'quarantine=yes']));
    await inForce('passes', () => namespace.kubectl(['label', 'pod/server', 'quarantine-']));

    // What is wrong is told to who writes it, and changes nothing.
    const wrong = policy('callers', {
      ...target,
      action: 'Allow',
      rules: [{ ...rule('web'), to: [{ ports: [8080], methods: ['GET'] }] }],
    });
    await expect(namespace.apply(wrong)).rejects.toThrow('is about HTTP, which policies do not cover yet');
    expect(await passes(namespace, 'web')).toBe(true);

    // What was seen meanwhile stands in the status: whom Shadow would have refused, who spoke plaintext, and that nobody does now.
    const status = async (object: string): Promise<unknown> =>
      JSON.parse(await namespace.field(object, '.status'));
    await eventually(async () => {
      expect(await status('meshpolicy/shadow')).toMatchObject({
        conditions: [{ type: 'Accepted', status: 'True' }],
        wouldDeny: {
          callers: expect.arrayContaining([
            expect.objectContaining({
              caller: `spiffe://cluster.local/ns/${namespace.name}/sa/web`,
              workload: `${namespace.name}/server`,
              rule: 0,
            }),
          ]) as unknown,
        },
      });
      expect(await status('meshtls/server')).toMatchObject({
        plaintextPeers: { total: 1, peers: [{ name: `old.${namespace.name}`, port: 8080, count: 1 }] },
        readyForStrict: true,
      });
    }, 120_000);
    await namespace.apply(mode('Strict'));
    await eventually(async () => {
      expect(await passes(namespace, 'old')).toBe(false);
      expect(await namespace.kubectl(['logs', 'pod/server', '--container', 'sallyport'])).toContain(
        'plaintext-refused',
      );
    });

    // The controller is away: what holds goes on, for sidecars that run.
    await mesh.scale(0);
    await namespace.apply(policy('callers', { ...target, action: 'Allow', rules: [rule('batch')] }));
    expect([await passes(namespace, 'web'), await passes(namespace, 'batch')]).toEqual([true, false]);
    await mesh.scale(1);
    await eventually(async () => {
      expect([await passes(namespace, 'web'), await passes(namespace, 'batch')]).toEqual([false, true]);
    }, 60_000);

    // Deny as the default reaches pods that run.
    await namespace.kubectl(['delete', 'meshpolicy', 'callers', 'quarantine']);
    await eventually(async () => expect(await passes(namespace, 'web')).toBe(true));
    await mesh.upgrade('policy.default=Deny');
    await eventually(async () => expect(await passes(namespace, 'web')).toBe(false), 60_000);
    await namespace.apply(policy('callers', { ...target, action: 'Allow', rules: [rule('web')] }));
    await eventually(async () => expect(await passes(namespace, 'web')).toBe(true));
  },
  900_000,
);
