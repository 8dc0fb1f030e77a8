// Publishes a hundred messages a second and consumes them, over a kill; forked by failover.mjs. Says when, after the death of the node it
// was connected to, a publish made since was first confirmed, and one first delivered.
import { bodyOf } from './workloads.mjs';

const EVERY = 10;

const now = () => performance.timeOrigin + performance.now();

const job = await new Promise((resolve) => process.once('message', resolve));
const { open, takesObjects = false } = await import(`./clients/${job.client}.mjs`);
const client = await open(job);
const body = bodyOf(100, takesObjects);
const published = [];
const first = { confirmed: undefined, delivered: undefined };
let killedAt = Infinity;
let handled = 0;

function seen(what, at) {
  if (at < killedAt || first[what] !== undefined) return;
  first[what] = now() - killedAt;
  if (first.confirmed !== undefined && first.delivered !== undefined) process.send(first);
}

// A delivery does not say here which one it is, but they come in their order; what is published since the kill is marked by its number.
await client.consume(100, (message) => {
  handled += 1;
  const { n } = typeof message === 'object' && 'n' in message ? message : numberIn(message);
  seen('delivered', published[n] ?? 0);
});

function numberIn(message) {
  try {
    return JSON.parse(String(message.content ?? message));
  } catch {
    return {};
  }
}

const publishing = setInterval(() => {
  const n = published.push(now()) - 1;
  const numbered = { ...(takesObjects ? body : JSON.parse(body)), n };
  const payload = takesObjects ? numbered : Buffer.from(JSON.stringify(numbered));
  client.publish(payload, String(n), (error) => {
    if (!error) seen('confirmed', published[n]);
  });
}, EVERY);

const ready = setInterval(() => {
  if (handled < 20) return;
  clearInterval(ready);
  process.send('ready');
}, EVERY);

process.on('message', (told) => {
  if (told === 'stop') {
    clearInterval(publishing);
    process.exit(0);
  }
  killedAt = told.killedAt;
});
process.on('uncaughtException', () => undefined);
process.on('disconnect', () => process.exit(0));
