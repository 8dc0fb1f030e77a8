import { FieldReader, type FieldType } from './field-reader.js';
import type { MethodName } from './method-names.js';

/**
 * What is decoded of a frame. Tags are numbers, so exact up to 2^53. Only the fields of the frame's own method are
 * present; a frame whose payload is cut short has none.
 */
export interface FrameFields {
  deliveryTag?: number;
  multiple?: boolean;
  requeue?: boolean;
  redelivered?: boolean;
  consumerTag?: string;
  exchange?: string;
  routingKey?: string;
  mandatory?: boolean;
  queue?: string;
  destination?: string;
  source?: string;
  type?: string;
  passive?: boolean;
  durable?: boolean;
  exclusive?: boolean;
  autoDelete?: boolean;
  noAck?: boolean;
  messageCount?: number;
  consumerCount?: number;
  prefetchCount?: number;
  global?: boolean;
  replyCode?: number;
  replyText?: string;
  classId?: number;
  methodId?: number;
  channelMax?: number;
  frameMax?: number;
  /** Seconds, as it is on the wire. */
  heartbeat?: number;
  virtualHost?: string;
  reason?: string;
  active?: boolean;
  /** Of a content header: bytes of body that follow. */
  bodySize?: number;
  /** Of a content header. */
  messageId?: string;
  /** Of a body frame: bytes in this frame. */
  size?: number;
}

type Layout = readonly (readonly [name: string, type: FieldType])[];

/** `name:type` in wire order; a name starting with `_` is read over. What follows the last one is not read. */
const LAYOUTS: Partial<Record<MethodName, string>> = {
  'connection.tune': 'channelMax:short frameMax:long heartbeat:short',
  'connection.tune-ok': 'channelMax:short frameMax:long heartbeat:short',
  'connection.open': 'virtualHost:shortstr',
  'connection.close': 'replyCode:short replyText:shortstr classId:short methodId:short',
  'connection.blocked': 'reason:shortstr',
  'channel.flow': 'active:bit',
  'channel.flow-ok': 'active:bit',
  'channel.close': 'replyCode:short replyText:shortstr classId:short methodId:short',
  'exchange.declare':
    '_ticket:short exchange:shortstr type:shortstr passive:bit durable:bit autoDelete:bit',
  'exchange.delete': '_ticket:short exchange:shortstr',
  'exchange.bind': '_ticket:short destination:shortstr source:shortstr routingKey:shortstr',
  'exchange.unbind': '_ticket:short destination:shortstr source:shortstr routingKey:shortstr',
  'queue.declare':
    '_ticket:short queue:shortstr passive:bit durable:bit exclusive:bit autoDelete:bit',
  'queue.declare-ok': 'queue:shortstr messageCount:long consumerCount:long',
  'queue.bind': '_ticket:short queue:shortstr exchange:shortstr routingKey:shortstr',
  'queue.unbind': '_ticket:short queue:shortstr exchange:shortstr routingKey:shortstr',
  'queue.purge': '_ticket:short queue:shortstr',
  'queue.purge-ok': 'messageCount:long',
  'queue.delete': '_ticket:short queue:shortstr',
  'queue.delete-ok': 'messageCount:long',
  'basic.qos': '_prefetchSize:long prefetchCount:short global:bit',
  'basic.consume':
    '_ticket:short queue:shortstr consumerTag:shortstr _noLocal:bit noAck:bit exclusive:bit',
  'basic.consume-ok': 'consumerTag:shortstr',
  'basic.cancel': 'consumerTag:shortstr',
  'basic.cancel-ok': 'consumerTag:shortstr',
  'basic.publish': '_ticket:short exchange:shortstr routingKey:shortstr mandatory:bit',
  'basic.return': 'replyCode:short replyText:shortstr exchange:shortstr routingKey:shortstr',
  'basic.deliver':
    'consumerTag:shortstr deliveryTag:longlong redelivered:bit exchange:shortstr routingKey:shortstr',
  'basic.get': '_ticket:short queue:shortstr noAck:bit',
  'basic.get-ok':
    'deliveryTag:longlong redelivered:bit exchange:shortstr routingKey:shortstr messageCount:long',
  'basic.ack': 'deliveryTag:longlong multiple:bit',
  'basic.nack': 'deliveryTag:longlong multiple:bit requeue:bit',
  'basic.reject': 'deliveryTag:longlong requeue:bit',
  'basic.recover': 'requeue:bit',
  'basic.recover-async': 'requeue:bit',
};

const PARSED = new Map<string, Layout>(
  Object.entries(LAYOUTS).map(([method, layout]) => [
    method,
    layout.split(' ').map((field) => field.split(':') as [string, FieldType]),
  ]),
);

/** The fields of a method frame's payload (class and method id included). */
export function methodFields(method: string, payload: Buffer): FrameFields {
  const reader = new FieldReader(payload, 4);
  const fields: Record<string, boolean | number | string> = {};
  try {
    for (const [name, type] of PARSED.get(method) ?? []) {
      const value = reader.read(type);
      if (!name.startsWith('_')) fields[name] = value;
    }
  } catch {
    return {};
  }
  return fields;
}
