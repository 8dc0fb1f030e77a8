/** Hand-made AMQP 0-9-1 frames, for peers that must say exactly what a test wants, wrong or right. */

export const octet = (n: number): Buffer => Buffer.from([n]);

export const short = (n: number): Buffer => {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(n);
  return bytes;
};

export const long = (n: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(n);
  return bytes;
};

export const longlong = (n: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(n));
  return bytes;
};

export const shortstr = (text: string): Buffer =>
  Buffer.concat([octet(Buffer.byteLength(text)), Buffer.from(text)]);

export const longstr = (text: string): Buffer =>
  Buffer.concat([long(Buffer.byteLength(text)), Buffer.from(text)]);

/** A table of strings. */
export const table = (entries: Record<string, string>): Buffer => {
  const body = Object.entries(entries).map(([key, value]) =>
    Buffer.concat([shortstr(key), Buffer.from('S'), longstr(value)]),
  );
  const bytes = Buffer.concat(body);
  return Buffer.concat([long(bytes.length), bytes]);
};

export const frame = (type: number, channel: number, payload: Buffer): Buffer =>
  Buffer.concat([octet(type), short(channel), long(payload.length), payload, octet(0xce)]);

export const method = (
  channel: number,
  [classId, methodId]: readonly [number, number],
  ...fields: Buffer[]
): Buffer => frame(1, channel, Buffer.concat([short(classId), short(methodId), ...fields]));

/** Header and body frames of a message without properties. */
export const content = (channel: number, body: string): Buffer =>
  Buffer.concat([
    frame(2, channel, Buffer.concat([short(60), short(0), longlong(body.length), short(0)])),
    ...(body === '' ? [] : [frame(3, channel, Buffer.from(body))]),
  ]);

export const connectionStart = (
  mechanisms = 'PLAIN EXTERNAL',
  properties: Record<string, string> = { product: 'Scripted', version: '1', cluster_name: 'c1' },
): Buffer =>
  method(0, [10, 10], octet(0), octet(9), table(properties), longstr(mechanisms), longstr('en_US'));
export const connectionTune = (heartbeat = 60, channelMax = 2047, frameMax = 131_072): Buffer =>
  method(0, [10, 30], short(channelMax), long(frameMax), short(heartbeat));
export const connectionOpenOk = (): Buffer => method(0, [10, 41], shortstr(''));
export const connectionClose = (code: number, text: string): Buffer =>
  method(0, [10, 50], short(code), shortstr(text), short(0), short(0));
export const connectionCloseOk = (): Buffer => method(0, [10, 51]);
export const connectionBlocked = (reason: string): Buffer => method(0, [10, 60], shortstr(reason));
export const connectionUnblocked = (): Buffer => method(0, [10, 61]);
export const channelOpenOk = (channel: number): Buffer => method(channel, [20, 11], longstr(''));
export const channelClose = (
  channel: number,
  code: number,
  text: string,
  [classId, methodId]: readonly [number, number] = [0, 0],
): Buffer =>
  method(channel, [20, 40], short(code), shortstr(text), short(classId), short(methodId));
export const channelCloseOk = (channel: number): Buffer => method(channel, [20, 41]);
export const confirmSelectOk = (channel: number): Buffer => method(channel, [85, 11]);
export const queueDeclareOk = (channel: number, queue: string): Buffer =>
  method(channel, [50, 11], shortstr(queue), long(0), long(0));
export const consumeOk = (channel: number, tag: string): Buffer =>
  method(channel, [60, 21], shortstr(tag));
export const cancelOk = (channel: number, tag: string): Buffer =>
  method(channel, [60, 31], shortstr(tag));
export const brokerCancel = (channel: number, tag: string): Buffer =>
  method(channel, [60, 30], shortstr(tag), octet(1));
export const qosOk = (channel: number): Buffer => method(channel, [60, 11]);
export const deliver = (channel: number, tag: string, deliveryTag: number, body = 'x'): Buffer =>
  Buffer.concat([
    method(
      channel,
      [60, 60],
      shortstr(tag),
      longlong(deliveryTag),
      octet(0),
      shortstr(''),
      shortstr('q'),
    ),
    content(channel, body),
  ]);
export const basicReturn = (channel: number, routingKey: string, body = 'x'): Buffer =>
  Buffer.concat([
    method(channel, [60, 50], short(312), shortstr('NO_ROUTE'), shortstr(''), shortstr(routingKey)),
    content(channel, body),
  ]);
export const basicAck = (channel: number, deliveryTag: number, multiple = false): Buffer =>
  method(channel, [60, 80], longlong(deliveryTag), octet(multiple ? 1 : 0));
export const basicNack = (channel: number, deliveryTag: number, multiple = false): Buffer =>
  method(channel, [60, 120], longlong(deliveryTag), octet(multiple ? 1 : 0));
