import { once } from 'node:events';
import { connect as dial } from 'node:net';
import type { Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { MemoryBroker } from 'nestjs-failover/testing';
import {
  content,
  long,
  longstr,
  method,
  octet,
  short,
  shortstr,
  table,
} from '../kit/amqp-frames.js';

const BODY = 'x'.repeat(60_000);
const PUBLISHES = 2_000;

/** Asks for the message back, which nobody takes: as much is sent as was read. */
const returned = Buffer.concat([
  method(1, [60, 40], short(0), shortstr(''), shortstr('nobody'), octet(1)),
  content(1, BODY),
]);

const hello = Buffer.concat([
  Buffer.from('AMQP\0\0\x09\x01', 'latin1'),
  method(0, [10, 11], table({}), shortstr('PLAIN'), longstr('\0guest\0guest'), shortstr('en_US')),
  method(0, [10, 31], short(2_047), long(131_072), short(0)),
  method(0, [10, 40], shortstr('/'), shortstr(''), octet(0)),
  method(1, [20, 10], shortstr('')),
]);

/** Whether what the client has to write has stayed the same for a while. */
function stalled({ writableLength }: Socket, looks: { last: number; times: number }): boolean {
  looks.times = writableLength === looks.last ? looks.times + 1 : 0;
  looks.last = writableLength;
  return looks.times > 25;
}

it(
  'reads no more from a client that does not read, and goes on when it does',
  { timeout: 60_000 },
  async () => {
    const broker = await MemoryBroker.start();
    onTestFinished(() => broker.close());
    const socket = dial({ port: broker.port, host: '127.0.0.1' });
    onTestFinished(() => void socket.destroy());
    await once(socket, 'connect');
    socket.write(hello);
    await broker.until(() => broker.connections[0]?.channels === 1);
    socket.pause();
    for (let sent = 0; sent < PUBLISHES; sent += 1) socket.write(returned);
    const looks = { last: -1, times: 0 };
    await broker.until(() => stalled(socket, looks), { timeout: 30_000 });
    // The systems' buffers hold some megabytes; the broker itself no more than one.
    expect(socket.writableLength).toBeGreaterThan((returned.length * PUBLISHES) / 2);

    let heard = 0;
    socket.on('data', ({ length }: Buffer) => {
      heard += length;
    });
    socket.resume();
    await broker.until(() => heard > BODY.length * PUBLISHES, { timeout: 30_000 });
    expect(socket.writableLength).toBe(0);
  },
);
