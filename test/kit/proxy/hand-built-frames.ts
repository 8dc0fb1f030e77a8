/** Frames of AMQP 0-9-1 put together byte by byte, for tests that must not trust a codec. */

export const PROTOCOL_HEADER = Buffer.from('AMQP\0\0\x09\x01', 'latin1');

export function frame(type: number, channel: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(7);
  head.writeUInt8(type, 0);
  head.writeUInt16BE(channel, 1);
  head.writeUInt32BE(payload.length, 3);
  return Buffer.concat([head, payload, Buffer.from([0xce])]);
}

export const HEARTBEAT = frame(8, 0, Buffer.alloc(0));

export function method(channel: number, ids: [number, number], ...args: Buffer[]): Buffer {
  return frame(1, channel, Buffer.concat([short(ids[0]), short(ids[1]), ...args]));
}

export function octet(value: number): Buffer {
  return Buffer.from([value]);
}

export function short(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

export function long(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function longlong(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}

export function shortstr(text: string): Buffer {
  return Buffer.concat([octet(Buffer.byteLength(text)), Buffer.from(text)]);
}

/** basic.publish, its header and the body in frames of at most `frameSize` bytes of payload. */
export function publish(
  channel: number,
  routingKey: string,
  body = Buffer.from('hello'),
  frameSize = 4096,
): Buffer {
  const flags = (1 << 15) | (1 << 13) | (1 << 7);
  const properties = [shortstr('text/plain'), long(0), shortstr(`id-${routingKey}`)];
  const header = [short(60), short(0), longlong(body.length), short(flags), ...properties];
  const parts = [
    method(channel, [60, 40], short(0), shortstr('orders'), shortstr(routingKey), octet(1)),
    frame(2, channel, Buffer.concat(header)),
  ];
  for (let start = 0; start < body.length; start += frameSize) {
    parts.push(frame(3, channel, body.subarray(start, start + frameSize)));
  }
  return Buffer.concat(parts);
}

export function deliver(channel: number, deliveryTag: number): Buffer {
  const args = [shortstr('ctag'), longlong(deliveryTag), octet(1), shortstr('x'), shortstr('rk')];
  return method(channel, [60, 60], ...args);
}

export function ack(channel: number, deliveryTag: number, multiple = false): Buffer {
  return method(channel, [60, 80], longlong(deliveryTag), octet(multiple ? 1 : 0));
}

export function openOk(): Buffer {
  return method(0, [10, 41], shortstr(''));
}
