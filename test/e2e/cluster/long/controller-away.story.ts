import { withoutController } from '../controller-away.ts';
import { story } from '../story.ts';

story(
  'the leading controller is killed, then all are away for 90 % of what certificates last: no call fails',
  ({ cluster, namespace, turn }) => turn.alone(() => withoutController(cluster, namespace)),
  600_000,
);
