import { connect } from 'amqplib';
import type {
  Channel,
  ChannelModel,
  ConfirmChannel,
  ConsumeMessage,
  GetMessage,
  Options,
} from 'amqplib';

/** What a client has observed, as plain data. */
export type Observed = unknown;

/** A reply of the broker, or how it refused. */
export interface Refusal {
  readonly refused: number;
  readonly text: string;
}

const PATIENCE = 15_000;

const sleepAStep = (): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, 2);
  });

/**
 * Waits for a fact. Where it comes true on neither broker, both would have seen the same: nothing.
 *
 * @param seen what there is instead, for the error
 * @throws Error when it is not true after 15 s
 */
export async function eventually(
  holds: () => boolean | Promise<boolean>,
  seen: () => unknown = () => 'nothing',
): Promise<void> {
  for (const end = performance.now() + PATIENCE; performance.now() < end;) {
    if (await holds()) return;
    await sleepAStep();
  }
  throw new Error(
    `Not true after ${PATIENCE / 1_000} s: ${holds.toString()}. Seen: ${JSON.stringify(seen())}`,
  );
}

/** What a closing says: its code and the broker's own text. */
export function refusalOf(error: unknown): Refusal {
  const { code = 0, message } = error as Error & { code?: number };
  const text = /with message "(.*)"$/su.exec(message)?.[1];
  return { refused: code, text: text ?? message };
}

/** A delivered or got message as plain data. */
export function shown(message: ConsumeMessage | GetMessage): Observed {
  const { content, fields, properties } = message;
  const given = Object.entries({ ...properties } as Record<string, unknown>).filter(
    ([, value]) => value !== undefined,
  );
  return {
    body: content.length > 100 ? `${content.length} bytes` : content.toString(),
    ...fields,
    properties: Object.fromEntries(given),
  };
}

/** A channel that writes down what comes. */
export class Seat {
  readonly deliveries: ConsumeMessage[] = [];
  readonly cancelled: string[] = [];
  readonly returned: Observed[] = [];
  readonly confirmed: string[] = [];
  closed: Refusal | undefined;

  constructor(readonly channel: Channel) {
    channel.on('error', (error) => {
      this.closed = refusalOf(error);
    });
    channel.on('return', (message: ConsumeMessage) => this.returned.push(shown(message)));
    for (const kind of ['ack', 'nack'] as const) {
      channel.on(kind, ({ deliveryTag, multiple }: { deliveryTag: number; multiple: boolean }) => {
        this.#confirm(kind, deliveryTag, multiple);
      });
    }
  }

  /** The reply, or the refusal that closed the channel. */
  async try(run: (channel: Channel) => Promise<unknown>): Promise<Observed> {
    try {
      return await run(this.channel);
    } catch (error) {
      return refusalOf(error);
    }
  }

  /** What becomes of the channel after something that has no reply. */
  async fate(run: (channel: Channel) => void): Promise<Observed> {
    run(this.channel);
    const probe = this.channel.checkExchange('amq.direct').then(
      () => 'open',
      () => undefined,
    );
    const open = await probe;
    await eventually(() => open !== undefined || this.closed !== undefined);
    return this.closed ?? open;
  }

  async consume(queue: string, options: Options.Consume = {}): Promise<string> {
    const { consumerTag } = await this.channel.consume(
      queue,
      (message) => {
        if (message === null) this.cancelled.push(queue);
        else this.deliveries.push(message);
      },
      options,
    );
    return consumerTag;
  }

  /** What has been delivered, once there are so many. */
  async got(count: number): Promise<Observed[]> {
    await eventually(
      () => this.deliveries.length >= count,
      () => this.deliveries.map(shown),
    );
    return this.deliveries.map(shown);
  }

  /** In short: body and whether it was delivered before. */
  async bodies(count: number): Promise<string[]> {
    await eventually(
      () => this.deliveries.length >= count,
      () => this.deliveries.map(shown),
    );
    return this.deliveries.map(
      ({ content, fields }) => `${content.toString()}${fields.redelivered ? ' again' : ''}`,
    );
  }

  /** The answers for so many publishes, by their number. */
  async confirms(count: number): Promise<string[]> {
    await eventually(
      () => this.confirmed.length >= count,
      () => this.confirmed,
    );
    return this.confirmed.toSorted(
      (one, other) => Number.parseInt(one, 10) - Number.parseInt(other, 10),
    );
  }

  /** Gets one message, and acks it unless told otherwise. */
  async get(queue: string, options: Options.Get = { noAck: true }): Promise<Observed> {
    const message = await this.channel.get(queue, options);
    return message === false ? 'empty' : shown(message);
  }

  /** Waits until a queue has so many ready messages, and gives what it has. */
  async ready(queue: string, count: number): Promise<number> {
    let messages = -1;
    await eventually(
      async () => {
        messages = (await this.channel.checkQueue(queue)).messageCount;
        return messages === count;
      },
      () => `${messages} of ${count} in ${queue}`,
    );
    return messages;
  }

  /** Takes all bodies that a queue has. */
  async drain(queue: string): Promise<string[]> {
    const bodies: string[] = [];
    for (;;) {
      const message = await this.channel.get(queue, { noAck: true });
      if (message === false) return bodies;
      bodies.push(message.content.toString());
    }
  }

  #lowest = 1;

  #confirm(kind: 'ack' | 'nack', tag: number, multiple: boolean): void {
    const answered = new Set(this.confirmed.map((one) => Number.parseInt(one, 10)));
    for (let one = multiple ? this.#lowest : tag; one <= tag; one += 1) {
      if (!answered.has(one)) this.confirmed.push(`${one} ${kind}`);
    }
    if (multiple) this.#lowest = tag + 1;
  }
}

/** A connection that writes down how it ends. */
export class Peer {
  closed: Refusal | undefined;
  readonly blocked: string[] = [];
  #ended = false;

  private constructor(readonly model: ChannelModel) {
    model.on('error', (error) => {
      this.closed = refusalOf(error);
    });
    model.on('close', () => {
      this.#ended = true;
    });
    model.on('blocked', (reason) => this.blocked.push(reason));
  }

  static async open(url: string, options: object = {}): Promise<Peer> {
    return new Peer(
      await connect(url, { clientProperties: { connection_name: 'conformance' }, ...options }),
    );
  }

  async seat(): Promise<Seat> {
    return new Seat(await this.model.createChannel());
  }

  async confirmSeat(): Promise<Seat & { readonly channel: ConfirmChannel }> {
    return new Seat(await this.model.createConfirmChannel()) as Seat & {
      readonly channel: ConfirmChannel;
    };
  }

  /** How the connection ended; undefined while it lives. */
  async end(): Promise<Refusal | 'closed' | undefined> {
    await eventually(() => this.#ended);
    return this.closed ?? (this.#ended ? 'closed' : undefined);
  }

  async close(): Promise<void> {
    if (!this.#ended) await this.model.close().catch(() => undefined);
  }
}
