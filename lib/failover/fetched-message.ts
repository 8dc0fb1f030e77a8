import type { Channel, Delivery } from '../amqp/channel.js';
import type { Queue } from '../amqp/queue.js';
import type { DeliveringChannel } from './message.js';
import { Message } from './message.js';

/** How `connection.get` takes a message. */
export interface GetOptions {
  /** It counts as settled when it is sent: what is lost on the way is lost. @default false */
  readonly noAck?: boolean | undefined;
  /** The content types taken, by the name of their serializer. @default ['json', 'text', 'raw'] */
  readonly accept?: readonly string[] | undefined;
  /** Milliseconds to wait for a connection. Without it there is no limit. */
  readonly timeout?: number | undefined;
  /** Ends the wait with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/** The channel that one message was fetched on. */
class FetchingChannel implements DeliveringChannel {
  readonly #aborted = new AbortController();

  constructor(
    private readonly channel: Channel,
    readonly accept: readonly string[],
    private readonly noAck: boolean,
  ) {
    const { signal } = this.#aborted;
    const abort = (loss: Error): void => this.#aborted.abort(loss);
    channel.on('close', abort);
    this.forget = () => {
      if (!signal.aborted) channel.off('close', abort);
    };
  }

  /** Nobody needs to be told of the end of the channel any more. */
  readonly forget: () => void;

  get loss(): Error | undefined {
    return this.channel.loss;
  }

  get signal(): AbortSignal {
    return this.#aborted.signal;
  }

  ack(delivery: Delivery): void {
    this.#settle(() => this.channel.ack(delivery));
  }

  reject(delivery: Delivery, requeue: boolean): void {
    this.#settle(() => this.channel.reject(delivery, requeue));
  }

  handBack(delivery: Delivery): void {
    this.#settle(() => this.channel.nack(delivery, false, true));
  }

  #settle(send: () => void): void {
    this.forget();
    if (!this.noAck) send();
  }
}

/** @param name under which the broker knows the queue. @returns undefined when it is empty */
export async function fetchMessage(
  channel: Channel,
  queue: Queue,
  name: string,
  { accept, noAck }: { readonly accept: readonly string[]; readonly noAck: boolean },
): Promise<Message | undefined> {
  const got = await channel.get(name, { noAck });
  if (got === false) return undefined;
  const delivery = { ...got, fields: { ...got.fields, consumerTag: '' } };
  const fetching = new FetchingChannel(channel, accept, noAck);
  if (noAck) fetching.forget();
  return new Message(delivery, fetching, queue);
}
