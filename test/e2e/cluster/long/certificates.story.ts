import { certificatesUnderLoad } from '../certificates.ts';
import { story } from '../story.ts';

story('six minutes of certificates of two minutes, under load', ({ cluster, namespace }) =>
  certificatesUnderLoad(cluster, namespace, { seconds: 360, calls: 5_000, intermediates: 2 }),
);
