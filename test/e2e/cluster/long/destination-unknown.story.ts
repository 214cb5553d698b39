import { expect } from 'vitest';
import type { Stream } from '../../../support/wire.ts';
import { eventually } from '../command.ts';
import { ControllerMesh } from '../controller-mesh.ts';
import { pod } from '../namespace.ts';
import { APPLICATION, get, NO_ANSWER } from '../shop.ts';
import { needsSniffer, wireOf } from '../sniffer.ts';
import { story } from '../story.ts';

story(
  'while discovery stands still, a pod that is new is not called, with or without a sidecar: not a byte leaves',
  ({ cluster, namespace, turn, skip }) =>
    turn.alone(async () => {
      needsSniffer(skip);
      const mesh = await ControllerMesh.install(
        cluster,
        namespace,
        ['client', 'server'],
        [{ from: 'client', to: 'server' }],
      );
      await namespace.apply(
        pod('known', APPLICATION),
        mesh.pod('caller', APPLICATION, { account: 'client' }),
      );
      await namespace.until('Ready', ['pod/known', 'pod/caller']);
      const [known = ''] = await namespace.addresses('known');
      await eventually(async () =>
        expect(await get(namespace, 'caller', known)).toMatchObject({ name: 'known' }),
      );

      const callers = await namespace.addresses('caller');
      // A new sidecar has the controller to talk to as well.
      const ofCaller = (streams: readonly Stream[]): readonly Stream[] =>
        streams.filter(({ from }) => callers.includes(from));

      const goOn = await mesh.pauseControllers();
      try {
        await namespace.apply(
          pod('plain', APPLICATION),
          mesh.pod('meshed', APPLICATION, { account: 'server' }),
        );
        // The other one waits for its certificate, but has its address and its rules.
        await namespace.until('Ready', ['pod/plain']);
        await eventually(async () => expect((await namespace.addresses('meshed'))[0]).not.toBe(''), 120_000);
        for (const name of ['plain', 'meshed']) {
          const [address = ''] = await namespace.addresses(name);
          const streams = await wireOf(cluster, namespace, name, async () => {
            await expect(get(namespace, 'caller', address)).rejects.toThrow(NO_ANSWER);
          });
          expect(ofCaller(streams), name).toEqual([]);
          expect(await reasonOf(address)).toBe('destination-unknown');
        }
      } finally {
        await goOn();
      }

      await namespace.until('Ready', ['pod/meshed']);
      for (const name of ['plain', 'meshed']) {
        const [address = ''] = await namespace.addresses(name);
        // The same detector sees the calls that are made now.
        const streams = await wireOf(cluster, namespace, name, () =>
          eventually(async () => expect(await get(namespace, 'caller', address)).toMatchObject({ name })),
        );
        expect(ofCaller(streams).length, name).toBeGreaterThan(0);
      }

      async function reasonOf(address: string): Promise<unknown> {
        const lines = await mesh.lines('caller');
        return lines.findLast(({ detail }) => String(detail).startsWith(`${address}:`))?.reason;
      }
    }),
  600_000,
);
