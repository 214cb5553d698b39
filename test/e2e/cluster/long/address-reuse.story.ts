import { reuseAddress } from '../address-reuse.ts';
import { story } from '../story.ts';

story('an address that changes hands a hundred times', ({ cluster, namespace }) =>
  reuseAddress(cluster, namespace, 100),
);
