import { reuseAddress } from '../address-reuse.ts';
import { story } from '../story.ts';

story(
  'an address that changes hands between pods with and without a sidecar: no plaintext to the former',
  ({ cluster, namespace }) => reuseAddress(cluster, namespace, 6),
  900_000,
);
