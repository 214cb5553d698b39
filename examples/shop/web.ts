import { type Answer, call } from './call.ts';
import { serve } from './serve.ts';

/** A new connection for each call, so that there is a handshake to see for each of them. */
async function checkout(): Promise<Answer> {
  const order = await call(`${process.env.ORDERS_URL}/orders`);
  return order.status === 200 ? order : { status: 502, body: { error: 'orders did not answer', order } };
}

/** Goes round orders, which the shop's policy does not allow. */
async function refund(): Promise<Answer> {
  const refund = await call(`${process.env.PAYMENTS_URL}/refunds`);
  return refund.status === 200 ? refund : { status: 502, body: { error: 'payments did not answer', refund } };
}

async function page(): Promise<Answer> {
  const [order, money] = await Promise.all([checkout(), refund()]);
  const row = (what: string, { status, body }: Answer): string =>
    `<tr><td>${what}</td><td>${status === 200 ? 'permitted' : 'refused'}</td><td><code>${html(JSON.stringify(body))}</code></td></tr>`;
  const body = `<!doctype html><title>Shop</title><h1>Shop</h1><table border="1" cellpadding="6">
${row('<a href="/checkout">/checkout</a>: web -> orders -> payments', order)}
${row('<a href="/refund">/refund</a>: web -> payments', money)}
</table><p>Edit policies/payments.yaml, save, and load this page again.</p>`;
  return { status: 200, body };
}

function html(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}

serve('web', { '/': page, '/checkout': checkout, '/refund': refund });
