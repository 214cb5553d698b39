import { expect } from 'vitest';
import { finish, latest, tell } from '../load.ts';
import { expectAllGenerations, killSidecars, rollOut } from '../rollout.ts';
import { KINDS, steadyMesh } from '../steady-mesh.ts';
import { story } from '../story.ts';

const ROLLOUTS = 3;
/** Three of them, and the time that each rollout takes. */
const PAUSE_SECONDS = 90;
const FIVE_MINUTES = 300_000;

story(
  'one TCP connection lives through three rollouts in five minutes; sidecars that are killed cost what they held',
  async ({ cluster, namespace }) => {
    await steadyMesh(cluster, namespace);
    const began = Date.now();
    await rollOut(namespace, ROLLOUTS, PAUSE_SECONDS);
    const lasted = Date.now() - began;
    expect(lasted).toBeGreaterThan(FIVE_MINUTES);
    const untouched = await Promise.all(KINDS.map((kind) => latest(namespace, kind)));
    const before = untouched.flatMap((report) => (report === undefined ? [] : [report]));
    tell(`${(lasted / 1000).toFixed(0)} s with ${ROLLOUTS} rollouts`, before);
    expect(before.map(({ kind, failed }) => [kind, failed])).toEqual(KINDS.map((kind) => [kind, 0]));
    expect(before.find(({ kind }) => kind === 'tcp')?.connections).toBe(1);
    expectAllGenerations(before, ROLLOUTS);

    const killed = await killSidecars(cluster, namespace);
    const after = await finish(namespace, KINDS);
    tell(`${killed} sidecars killed`, after);
    // A client has one call under way, and that only by one of them.
    for (const { kind, failed } of after) expect(failed, kind).toBeLessThanOrEqual(killed);
    const connections = after.find(({ kind }) => kind === 'tcp')?.connections ?? 0;
    expect(connections).toBeGreaterThan(1);
  },
);
