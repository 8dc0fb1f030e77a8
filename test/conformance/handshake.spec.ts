import * as frames from '../kit/amqp-frames.js';
import type { Case } from './conformance.js';
import { conforms } from './conformance.js';
import { RawClient } from './raw-client.js';
import type { RawLogin } from './raw-client.js';

const { method, shortstr, longstr, short, long, octet, frame, table, content } = frames;

const declare = (channel: number, queue: string): Buffer =>
  method(channel, [50, 10], short(0), shortstr(queue), octet(0), table({}));

const publish = (channel: number): Buffer =>
  method(channel, [60, 40], short(0), shortstr(''), shortstr('nobody'), octet(0));

/** What a client hears that logs in, and then says this. */
const saying =
  (login: RawLogin, ...bytes: readonly Buffer[]): Case =>
  async ({ url, vhost }) => {
    const client = await RawClient.connect(url);
    await client.login({ vhost, ...login });
    client.send(...bytes);
    const heard = [...(await client.fate())];
    client.end();
    return heard;
  };

/** The same with an open channel 1. */
const onChannel =
  (...bytes: readonly Buffer[]): Case =>
  async ({ url, vhost }) => {
    const client = await RawClient.connect(url);
    await client.login({ vhost });
    client.openChannel(1);
    await client.hears('1 channel.open-ok');
    client.send(...bytes);
    const heard = [...(await client.fate())];
    client.end();
    return heard;
  };

const firstBytes =
  (bytes: Buffer): Case =>
  async ({ url }) => {
    const client = await RawClient.connect(url);
    client.send(bytes);
    await client.hears('protocol');
    const heard = [...client.heard];
    client.end();
    return heard;
  };

const amqplain = Buffer.concat([
  shortstr('LOGIN'),
  Buffer.from('S'),
  longstr('guest'),
  shortstr('PASSWORD'),
  Buffer.from('S'),
  longstr('guest'),
]).toString('latin1');

conforms('a handshake', {
  'of another protocol': firstBytes(Buffer.from('GET / HTTP/1.1\r\n\r\n')),
  'of another version': firstBytes(Buffer.from('AMQP\0\0\x08\0', 'latin1')),
  'with PLAIN': saying({}, method(0, [10, 50], short(200), shortstr('bye'), short(0), short(0))),
  'with AMQPLAIN': saying(
    { mechanism: 'AMQPLAIN', response: amqplain },
    method(0, [10, 50], short(200), shortstr('bye'), short(0), short(0)),
  ),
  'with a wrong password': saying({ response: '\0guest\0wrong' }),
  'with a user that there is not': saying({ response: '\0nobody\0guest' }),
  'with a virtual host that there is not': saying({ vhost: 'nowhere' }),
  // RabbitMQ lets such clients wait for 3 s before it closes the socket, so they all wait at once.
  'that asks for what was not offered is closed without a word': (stage) =>
    Promise.all(
      [
        { mechanism: 'SCRAM' },
        { frameMax: 4_095 },
        { frameMax: 131_073 },
        { frameMax: 0 },
        { channelMax: 2_048 },
        { channelMax: 0 },
      ].map((login) => saying(login)(stage)),
    ),
});

conforms('a connection', {
  'opens no channel twice': onChannel(method(1, [20, 10], shortstr(''))),
  'hears nothing on a channel that is not open': saying({}, declare(3, 'q')),
  'has no more channels than agreed on': saying(
    { channelMax: 1 },
    method(1, [20, 10], shortstr('')),
    method(2, [20, 10], shortstr('')),
  ),
  'has no channel methods on channel 0': saying({}, declare(0, 'q')),
  'has no frame larger than agreed on': onChannel(frame(1, 1, Buffer.alloc(131_073))),
  'has no frame without its end': onChannel(
    Buffer.concat([frame(1, 1, Buffer.alloc(4)).subarray(0, -1), Buffer.from([0])]),
  ),
  'has no header where a method is due': onChannel(
    frame(2, 1, Buffer.concat([short(60), short(0), long(0), long(0), short(0)])),
  ),
  'has no body where a method is due': onChannel(frame(3, 1, Buffer.from('body'))),
  'has no method where a header is due': onChannel(publish(1), declare(1, 'q')),
  'has no header of another class': onChannel(
    publish(1),
    frame(2, 1, Buffer.concat([short(50), short(0), long(0), long(0), short(0)])),
  ),
  'has no method where a body is due': onChannel(
    publish(1),
    frame(2, 1, Buffer.concat([short(60), short(0), long(0), long(5), short(0)])),
    declare(1, 'q'),
  ),
  'has no heartbeat on a channel': onChannel(frame(8, 1, Buffer.alloc(0))),
  'has no flow that stops': onChannel(method(1, [20, 20], octet(0))),
  'has no prefetch by size': onChannel(method(1, [60, 10], long(1), short(1), octet(0))),
  'has no recovery without requeueing': onChannel(method(1, [60, 110], octet(0))),
  'forgives a message that nobody takes': onChannel(
    publish(1),
    content(1, 'x'),
    method(1, [20, 40], short(200), shortstr('bye'), short(0), short(0)),
  ),
  'is told the method that failed': async ({ url, vhost }) => {
    const client = await RawClient.connect(url);
    await client.login({ vhost });
    client.openChannel(1);
    client.send(method(1, [50, 10], short(0), shortstr('missing'), octet(1), table({})));
    const heard = [...(await client.fate())];
    client.end();
    return heard;
  },
  'may be told a new secret': async ({ url, vhost }) => {
    const client = await RawClient.connect(url);
    await client.login({ vhost });
    client.send(method(0, [10, 70], longstr('guest'), shortstr('rotated')));
    await client.hears('0 connection.update-secret-ok');
    const heard = [...client.heard];
    client.end();
    return heard;
  },
  'grants access as long ago': async ({ url, vhost }) => {
    const client = await RawClient.connect(url);
    await client.login({ vhost });
    client.openChannel(1);
    client.send(method(1, [30, 10], shortstr('/data'), octet(0)));
    await client.hears('1 access.request-ok');
    const heard = [...client.heard];
    client.end();
    return heard;
  },
});
