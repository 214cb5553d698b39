import { serve } from './serve.ts';

let charged = 0;
let refunded = 0;

serve('payments', {
  '/charges': async () => {
    charged += 1;
    return { status: 200, body: { charge: charged, amount: '12.50' } };
  },
  '/refunds': async () => {
    refunded += 1;
    return { status: 200, body: { refund: refunded, amount: '12.50' } };
  },
});
