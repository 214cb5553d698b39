import type { Cluster } from './cluster.ts';
import { eventually } from './command.ts';

/**
 * Makes objects that several stories want, each of which may come first: kubectl looks whether an object is there and makes it
 * then, and is refused if somebody else did so in between.
 *
 * @param input objects as YAML or JSON
 */
export async function applyShared(cluster: Cluster, input: string): Promise<void> {
  await eventually(() => cluster.kubectl(['apply', '-f', '-'], { input }), 60_000);
}
