import { Agent } from 'node:http';
import { call } from './call.ts';
import { serve } from './serve.ts';

/** One connection to payments that stays open: it lives through every rotation and every change of other policies. */
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
let placed = 0;

serve('orders', {
  '/orders': async () => {
    const charge = await call(`${process.env.PAYMENTS_URL}/charges`, agent);
    if (charge.status !== 200) return { status: 502, body: { error: 'payments did not answer', charge } };
    placed += 1;
    return { status: 200, body: { order: placed, charge: charge.body } };
  },
});
