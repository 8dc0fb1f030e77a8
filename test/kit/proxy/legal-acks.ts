import { AssertionError } from 'node:assert';
import type { RecordedFrame } from './wire-frame.js';

const SETTLES: ReadonlySet<string> = new Set(['basic.ack', 'basic.nack', 'basic.reject']);

/** One incarnation of a channel: from channel.open to the client's channel.close or close-ok. */
class ChannelAcks {
  private readonly delivered = new Set<number>();
  private readonly outstanding = new Set<number>();
  private readonly named = new Set<string>();
  private readonly noAckTags = new Set<string>();
  private readonly unnamed: boolean[] = [];
  private readonly gets: boolean[] = [];

  fromBroker({ method, fields }: RecordedFrame): void {
    const { deliveryTag = 0, consumerTag = '' } = fields;
    if (method === 'basic.deliver') this.deliver(deliveryTag, this.noAckTags.has(consumerTag));
    else if (method === 'basic.get-ok') this.deliver(deliveryTag, this.gets.shift() ?? false);
    else if (method === 'basic.get-empty') this.gets.shift();
    else if (
      method === 'basic.consume-ok' &&
      this.unnamed.length > 0 &&
      !this.named.has(consumerTag)
    ) {
      if (this.unnamed.shift()) this.noAckTags.add(consumerTag);
    }
  }

  fromClient({ method, fields }: RecordedFrame): void {
    const { consumerTag = '', noAck = false } = fields;
    if (method === 'basic.get') this.gets.push(noAck);
    else if (method === 'basic.consume' && consumerTag === '') this.unnamed.push(noAck);
    else if (method === 'basic.consume') {
      this.named.add(consumerTag);
      if (noAck) this.noAckTags.add(consumerTag);
      else this.noAckTags.delete(consumerTag);
    } else if (method.startsWith('basic.recover') && fields.requeue) this.outstanding.clear();
  }

  /** Why this ack is not legal; undefined when it is. */
  settle({ method, fields }: RecordedFrame): string | undefined {
    const { deliveryTag = 0, multiple = false } = fields;
    const all = multiple && method !== 'basic.reject';
    if (all && deliveryTag === 0) {
      this.outstanding.clear();
      return undefined;
    }
    if (!this.outstanding.has(deliveryTag)) {
      return this.delivered.has(deliveryTag) ? 'was settled before' : 'was never delivered there';
    }
    for (const tag of all ? this.outstanding : [deliveryTag]) {
      if (tag <= deliveryTag) this.outstanding.delete(tag);
    }
    return undefined;
  }

  private deliver(tag: number, noAck: boolean): void {
    if (noAck) return;
    this.delivered.add(tag);
    this.outstanding.add(tag);
  }
}

/**
 * Throws an `AssertionError` at the first ack, nack or reject of a client that names a tag which is not outstanding on
 * that connection and channel: never delivered (basic.deliver, basic.get-ok; no-ack deliveries do not count), delivered
 * on an earlier incarnation of the channel, or settled before. RabbitMQ's rule: with `multiple` the tag itself must be
 * outstanding too, or be 0 for all; 0 without `multiple` is never legal. Needs the whole record, in order.
 */
export function assertLegalAcks(frames: Iterable<RecordedFrame>): void {
  const channels = new Map<string, ChannelAcks>();
  for (const frame of frames) {
    const { connection, direction, channel, method, fields, index } = frame;
    const key = `${connection}/${channel}`;
    const acks = channels.get(key) ?? new ChannelAcks();
    channels.set(key, acks);
    if (direction === 'broker') acks.fromBroker(frame);
    else if (SETTLES.has(method)) {
      const offence = acks.settle(frame);
      if (offence !== undefined) {
        const tag = `${fields.deliveryTag ?? '?'}${fields.multiple ? ' (multiple)' : ''}`;
        const where = `connection ${connection}, channel ${channel}, frame ${index}`;
        throw new AssertionError({ message: `${method} of tag ${tag} which ${offence}: ${where}` });
      }
    } else if (/^channel\.(open|close|close-ok)$/.test(method)) channels.delete(key);
    else acks.fromClient(frame);
  }
}
