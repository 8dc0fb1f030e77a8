import { connect as dial } from 'node:net';
import { connect } from 'amqplib';
import { expect, onTestFinished, test } from 'vitest';
import { MemoryBroker } from 'nestjs-failover/testing';
import { framesOf, mutated, seeded } from './mutations.js';
import { recordedSession } from './recorded-session.js';

const SESSIONS = Number(process.env['SESSIONS'] ?? 10_000);
const SEED = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
const AT_ONCE = 50;

const MIB = 1_048_576;

/** Says it all, closes its side, and tells with which codes the broker has ended it. */
function speak(port: number, bytes: Buffer): Promise<number[]> {
  return new Promise((resolve) => {
    const heard: Buffer[] = [];
    const socket = dial({ port, host: '127.0.0.1', allowHalfOpen: true }, () => socket.end(bytes));
    socket.on('data', (chunk: Buffer) => heard.push(chunk));
    socket.on('error', () => undefined);
    socket.on('end', () => socket.destroy());
    socket.on('close', () => resolve(closingCodes(Buffer.concat(heard))));
  });
}

/** What RabbitMQ says when properties cannot be read. */
const UNREADABLE = 'INTERNAL_ERROR';

/** The codes of every connection.close and channel.close among the frames; 0 for unreadable properties. */
function closingCodes(bytes: Buffer): number[] {
  const codes: number[] = [];
  for (let at = 0; at + 13 <= bytes.length;) {
    if (bytes.toString('latin1', at, at + 4) === 'AMQP') return codes;
    const method = `${bytes.readUInt16BE(at + 7)},${bytes.readUInt16BE(at + 9)}`;
    if (bytes[at] === 1 && (method === '10,50' || method === '20,40')) {
      const text = bytes.toString('utf8', at + 14, at + 14 + bytes.readUInt8(at + 13));
      codes.push(text === UNREADABLE ? 0 : bytes.readUInt16BE(at + 11));
    }
    at += 8 + bytes.readUInt32BE(at + 3);
  }
  return codes;
}

/** A client that nobody has tampered with is served as ever. */
async function serves(broker: MemoryBroker): Promise<void> {
  const model = await connect(broker.url());
  const channel = await model.createConfirmChannel();
  await channel.assertQueue('alive');
  channel.sendToQueue('alive', Buffer.from('yes'));
  await channel.waitForConfirms();
  const message = await channel.get('alive', { noAck: true });
  expect(message === false ? message : message.content.toString()).toBe('yes');
  await channel.deleteQueue('alive');
  await model.close();
}

/** 541 is an error of the broker's own: whatever a client says, it has none. */
const ALLOWED = new Set([0, 403, 404, 405, 406, 501, 502, 503, 504, 505, 530, 540]);

test(
  `${SESSIONS} mutated sessions (seed ${SEED}) end with a code or a closed socket, and the broker lives on`,
  { timeout: 60_000 + SESSIONS * 10 },
  async () => {
    const broker = await MemoryBroker.start();
    onTestFinished(() => broker.close());
    const session = framesOf(await recordedSession(broker));
    const draw = seeded(SEED);
    const codes = new Map<number, number>();
    let silent = 0;
    await serves(broker);
    globalThis.gc?.();
    const before = process.memoryUsage().rss;
    for (let done = 0; done < SESSIONS; done += AT_ONCE) {
      const batch = Array.from({ length: Math.min(AT_ONCE, SESSIONS - done) }, () =>
        mutated(session, draw),
      );
      const ends = await Promise.all(batch.map((bytes) => speak(broker.port, bytes)));
      for (const end of ends) {
        if (end.length === 0) silent += 1;
        for (const code of end) codes.set(code, (codes.get(code) ?? 0) + 1);
      }
      const unexpected = [...codes.keys()].filter((code) => !ALLOWED.has(code));
      expect(unexpected, `SEED=${SEED}, around session ${done}`).toEqual([]);
    }
    await broker.until(() => broker.connections.length === 0);
    await serves(broker);
    const growth = (process.memoryUsage().rss - before) / MIB;
    const told = [...codes].toSorted(([one], [other]) => one - other);
    process.stdout.write(
      `[fuzz] seed ${SEED}: ${SESSIONS} sessions, ${silent} ended without a code, codes ${told.map(([code, times]) => `${code}:${times}`).join(' ')}, growth ${growth.toFixed(0)} MiB\n`,
    );
    // Each session carries 200 KB: kept, they would be two gigabytes.
    expect(growth).toBeLessThan(400);
    expect(broker.consumers).toEqual([]);
  },
);
