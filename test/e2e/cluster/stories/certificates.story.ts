import { certificatesUnderLoad } from '../certificates.ts';
import { story } from '../story.ts';

story(
  'pods that know nothing of each other call each other while their certificates change',
  ({ cluster, namespace }) =>
    certificatesUnderLoad(cluster, namespace, { seconds: 90, calls: 1_500, intermediates: 1 }),
  300_000,
);
