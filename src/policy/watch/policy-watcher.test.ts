import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { jsonLog, Scope } from '#runtime';
import { FakeClock } from '#runtime/testing';
import { RELOAD } from '../limits.ts';
import { contextWith } from '../testing/sets.ts';
import { PolicyLoadError, PolicyWatcher } from './policy-watcher.ts';
import type { Snapshot } from './snapshot.ts';

const DENY = policy('d', 'action: Deny, rules: [{ from: [{ peer: Any }] }]');
const ALLOW = policy('a', 'action: Allow, rules: [{ from: [{ peer: Authenticated }] }]');

function policy(name: string, spec: string): string {
  return `---\napiVersion: mesh.sallyport.dev/v1alpha1\nkind: MeshPolicy\nmetadata: { name: ${name}, namespace: shop }\nspec: { ${spec} }\n`;
}

/** Files that are in memory: `text` and `others` are what the next reading finds. */
class FakeFiles {
  text = ALLOW + DENY;
  readonly others = new Map<string, string>();
  reads = 0;

  read = (): Promise<Snapshot> => {
    this.reads += 1;
    const files = [{ file: 'policies.yaml', text: this.text }];
    for (const [file, text] of this.others) files.push({ file, text });
    const digest = JSON.stringify(files);
    return Promise.resolve({ files, paths: [], problems: [], directories: [], digest });
  };
}

let files: FakeFiles;
let clock: FakeClock;
let scope: Scope;
let failures: unknown[];
let lines: string[];
let change: () => void;

beforeEach(() => {
  files = new FakeFiles();
  clock = new FakeClock();
  failures = [];
  lines = [];
  scope = new Scope('test', (error) => failures.push(error));
});

afterEach(async () => {
  await scope.close();
  expect(failures).toEqual([]);
  expect(clock.pendingTimers).toBe(0);
});

async function start(): Promise<PolicyWatcher> {
  const notifier = (onChange: () => void) => {
    change = onChange;
    return { follow: () => undefined, close: () => undefined };
  };
  const watcher = await PolicyWatcher.open({
    context: contextWith(),
    clock,
    log: jsonLog('info', (line) => lines.push(line)),
    read: files.read,
    notifier,
  });
  watcher.run(scope);
  await clock.advance(RELOAD.debounceMilliseconds);
  return watcher;
}

function names(watcher: PolicyWatcher): readonly string[] {
  return watcher.policies.value.documents.map(({ metadata }) => metadata.name);
}

const WITHIN_A_SECOND = 999;

describe('PolicyWatcher', () => {
  it('refuses to start on a mistake, and lists all of them', async () => {
    files.text = ALLOW.replace('Allow', 'Alow') + DENY.replace('Deny', 'Dny');
    await expect(start()).rejects.toThrow(PolicyLoadError);
    await expect(start()).rejects.toThrow(
      /policies\.yaml:5:9: error: spec\.action.*policies\.yaml:10:9: error: spec\.action/s,
    );
  });

  it('sees a change within a second when no event ever comes', async () => {
    const watcher = await start();
    files.text = DENY;
    await clock.advance(WITHIN_A_SECOND);
    expect(names(watcher)).toEqual(['d']);
    expect(watcher.policies.value.epoch).toBe(2);
  });

  it('does not wait for the poll when an event comes', async () => {
    const watcher = await start();
    files.text = DENY;
    change();
    await clock.advance(RELOAD.debounceMilliseconds + RELOAD.settleMilliseconds);
    expect(names(watcher)).toEqual(['d']);
  });

  it('never takes a file that is still being written: its first half is a valid set without the Deny', async () => {
    const watcher = await start();
    const seen: string[][] = [];
    watcher.policies.subscribe((set) => seen.push(set.documents.map(({ metadata }) => metadata.name)));
    for (const text of ['', ALLOW, ALLOW + DENY.slice(0, 60)]) {
      files.text = text;
      change();
      await clock.advance(RELOAD.settleMilliseconds - 10);
    }
    files.text = `${ALLOW + DENY}${policy('more', 'action: Allow, rules: []')}`;
    await clock.advance(WITHIN_A_SECOND);
    expect(seen).toEqual([['a', 'd', 'more']]);
  });

  it('keeps the last good set whole, says every mistake, and recovers', async () => {
    const watcher = await start();
    const good = watcher.policies.value;
    files.text = policy('a', 'action: Allow, rules: [{ from: [{ peer: Anybody }] }], x: 1');
    await clock.advance(WITHIN_A_SECOND);
    expect(watcher.policies.value).toBe(good);
    expect(watcher.problems.value.map(({ line, field }) => [line, field])).toEqual([
      [5, 'spec.rules[0].from[0].peer'],
      [5, 'spec.x'],
    ]);
    files.text = ALLOW + DENY;
    await clock.advance(WITHIN_A_SECOND);
    // The same content again is the same set: live connections need not be judged anew.
    expect(watcher.policies.value).toBe(good);
    expect(watcher.problems.value).toEqual([]);
  });

  it('says a mistake once, not at every poll', async () => {
    const watcher = await start();
    files.text = 'nonsense';
    await clock.advance(10 * WITHIN_A_SECOND);
    expect(watcher.problems.version).toBe(2);
  });

  it('publishes warnings with the set they are about', async () => {
    const watcher = await start();
    const tls = (name: string, mode: string): string =>
      policy(name, `mode: ${mode}`).replace('MeshPolicy', 'MeshTLS');
    files.text = tls('a', 'Strict') + tls('b', 'Permissive');
    await clock.advance(WITHIN_A_SECOND);
    expect(names(watcher)).toEqual(['a', 'b']);
    expect(watcher.problems.value).toMatchObject([{ severity: 'warning', document: 'MeshTLS shop/b' }]);
  });

  it('reads no more often than the debounce allows, however many events come', async () => {
    await start();
    const before = files.reads;
    const seconds = 3;
    for (let at = 0; at < seconds * 1000; at += 1) {
      change();
      await clock.advance(1);
    }
    expect(files.reads - before).toBeLessThanOrEqual((seconds * 1000) / RELOAD.debounceMilliseconds + 1);
  });
});

describe('a file that never stands still', () => {
  const OFTEN = 60;
  let version = 0;

  /** Saves `restless.yaml` anew every 60 ms, with another comment each time. */
  async function flap(milliseconds: number): Promise<void> {
    for (let at = 0; at < milliseconds; at += OFTEN) {
      version += 1;
      files.others.set('restless.yaml', `# ${version}\n${policy('r', 'action: Allow, rules: []')}`);
      change();
      await clock.advance(OFTEN);
    }
  }

  const NAMED = expect.objectContaining({
    severity: 'warning',
    file: 'restless.yaml',
    message: expect.stringMatching(/^keeps changing/),
  });

  function complaints(): readonly string[] {
    return lines.filter((line) => line.includes('policies keep changing'));
  }

  it('does not hold off a Deny that is saved beside it, whenever that is', async () => {
    const watcher = await start();
    for (const wait of [0, 60, 300, 540, 660, 3000]) {
      await flap(wait);
      const name = `deny-${wait}`;
      files.others.set(`${name}.yaml`, policy(name, 'action: Deny, rules: [{ from: [{ peer: Any }] }]'));
      await flap(WITHIN_A_SECOND - OFTEN);
      expect(names(watcher)).toContain(name);
    }
  });

  it('is named in a warning and in the log, once, until it stands still', async () => {
    const watcher = await start();
    await flap(900);
    expect(watcher.problems.value).toEqual([NAMED]);
    await flap(20_000);
    expect(watcher.problems.value).toEqual([NAMED]);
    expect(complaints()).toEqual([expect.stringContaining('"files":["restless.yaml"]')]);
    await clock.advance(RELOAD.patienceMilliseconds + WITHIN_A_SECOND);
    expect(watcher.problems.value).toEqual([]);
    expect(names(watcher)).toContain('r');
  });

  it('is itself waited for longer, since it may be half written, but not for ever', async () => {
    const watcher = await start();
    await flap(RELOAD.patienceMilliseconds - 500);
    expect(names(watcher)).not.toContain('r');
    await flap(1000);
    expect(names(watcher)).toContain('r');
    // And not judged at every save, which would judge every connection anew.
    const { epoch } = watcher.policies.value;
    await flap(RELOAD.patienceMilliseconds * 3);
    expect(watcher.policies.value.epoch - epoch).toBeLessThanOrEqual(3);
  });

  it('does not hide what is wrong beside it', async () => {
    const watcher = await start();
    await flap(900);
    files.text = 'nonsense';
    await flap(WITHIN_A_SECOND);
    expect(watcher.problems.value).toEqual([
      expect.objectContaining({ severity: 'error', file: 'policies.yaml' }),
      NAMED,
    ]);
    expect(names(watcher)).toEqual(['a', 'd']);
  });
});
