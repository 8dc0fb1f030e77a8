import type { ConsumeMessage, Options } from 'amqplib';
import type { Observed } from '../seat.js';
import { Peer, refusalOf } from '../seat.js';
import type { Seat } from '../seat.js';
import type { Command, QueueName } from './commands.js';
import { exchanges, queues } from './commands.js';

const optionsOf = (queue: QueueName, name: (short: string) => string): Options.AssertQueue => {
  const deadLetters = (into: QueueName) => ({
    'x-dead-letter-exchange': '',
    'x-dead-letter-routing-key': name(into),
  });
  switch (queue) {
    case 'limited':
      return { arguments: { 'x-max-length': 3, ...deadLetters('dropped') } };
    case 'priorities':
      return { arguments: { 'x-max-priority': 3 } };
    case 'fleeting':
      return { arguments: { 'x-message-ttl': 0, ...deadLetters('expired') } };
    case 'plain':
    case 'dropped':
    case 'expired':
      return {};
  }
};

/** A delivery that nobody has settled, and how to tell it from others whatever its tag. */
interface Unsettled {
  readonly message: ConsumeMessage;
  readonly id: string;
}

/** One channel of the program; another one takes its place when it is closed. */
class Player {
  readonly unsettled: Unsettled[] = [];
  readonly consumers = new Map<QueueName, { noAck: boolean }>();
  seen = 0;

  constructor(readonly seat: Seat) {}
}

/** Plays a program on one broker, and writes down what its clients see after each command. */
export class ProgramPlayer {
  readonly #peers: Peer[] = [];
  readonly #players: Player[] = [];
  readonly #controls = new Map<QueueName, Seat>();
  #body = 0;

  private constructor(
    private readonly url: string,
    private readonly prefix: string,
  ) {}

  static async play(url: string, prefix: string, program: readonly Command[]): Promise<Observed[]> {
    const player = new ProgramPlayer(url, prefix);
    try {
      return await player.#play(program);
    } finally {
      await player.#end();
    }
  }

  async #play(program: readonly Command[]): Promise<Observed[]> {
    const controlling = await Peer.open(this.url);
    this.#peers[2] = controlling;
    const { channel } = await controlling.seat();
    await channel.assertExchange(this.#name('topic'), 'topic');
    await channel.assertExchange(this.#name('fanout'), 'fanout');
    for (const queue of queues) {
      await channel.assertQueue(
        this.#name(queue),
        optionsOf(queue, (short) => this.#name(short)),
      );
    }
    for (let connection = 0; connection < 2; connection += 1) await this.#connect(connection);
    const transcript: Observed[] = [];
    for (const command of program) {
      const outcome = await this.#run(command).catch((error: unknown) => refusalOf(error));
      transcript.push([command.do, outcome, await this.#look(command)]);
    }
    return transcript;
  }

  readonly #name = (short: string): string => `${this.prefix}${short}`;

  async #connect(connection: number): Promise<void> {
    const peer = await Peer.open(this.url);
    this.#peers[connection] = peer;
    for (const seat of [connection * 2, connection * 2 + 1]) {
      this.#players[seat] = new Player(await peer.confirmSeat());
    }
  }

  /** The player of a seat, on a channel that lives. */
  async #at(seat: number): Promise<Player> {
    const player = this.#players[seat];
    if (player !== undefined && player.seat.closed === undefined) return player;
    const peer = this.#peers[Math.floor(seat / 2)];
    if (peer === undefined) throw new Error('no such connection');
    const next = new Player(await peer.confirmSeat());
    this.#players[seat] = next;
    return next;
  }

  async #run(command: Command): Promise<Observed> {
    if (command.do === 'close connection') return this.#closeConnection(command.connection);
    const player = await this.#at(command.seat);
    const { seat } = player;
    const { channel } = seat;
    switch (command.do) {
      case 'declare':
        return channel.assertQueue(this.#name(command.queue), optionsOf(command.queue, this.#name));
      case 'delete':
        return channel.deleteQueue(this.#name(command.queue));
      case 'purge':
        return channel.purgeQueue(this.#name(command.queue));
      case 'bind':
        return channel.bindQueue(
          this.#name(command.queue),
          this.#name(command.exchange),
          command.key,
        );
      case 'unbind':
        return channel.unbindQueue(
          this.#name(command.queue),
          this.#name(command.exchange),
          command.key,
        );
      case 'send':
        return seat.fate(() =>
          channel.sendToQueue(this.#name(command.queue), this.#next(), {
            mandatory: true,
            priority: command.priority,
          }),
        );
      case 'publish':
        return seat.fate(() =>
          channel.publish(this.#name(command.exchange), command.key, this.#next(), {
            mandatory: command.mandatory,
          }),
        );
      case 'get':
        return this.#get(player, command.queue, command.noAck);
      case 'consume':
        return this.#consume(player, command);
      case 'cancel': {
        player.consumers.delete(command.queue);
        await channel.cancel(command.queue);
        return 'cancelled';
      }
      case 'ack':
      case 'reject':
      case 'requeue':
        return this.#settle(player, command.do, command.nth);
      case 'ack all':
      case 'requeue all':
        player.unsettled.splice(0);
        return seat.fate(() => {
          if (command.do === 'ack all') channel.ackAll();
          else channel.nackAll(true);
        });
      case 'close':
        await channel.close();
        seat.closed = { refused: 0, text: 'closed by us' };
        return 'closed';
    }
  }

  async #get(player: Player, queue: QueueName, noAck: boolean): Promise<Observed> {
    const message = await player.seat.channel.get(this.#name(queue), { noAck });
    if (message === false) return 'empty';
    const id = `got ${queue} ${message.content.toString()}`;
    if (!noAck) player.unsettled.push({ message: message as unknown as ConsumeMessage, id });
    return [id, message.fields.redelivered, message.fields.messageCount];
  }

  async #consume(
    player: Player,
    { queue, prefetch, noAck }: Extract<Command, { do: 'consume' }>,
  ): Promise<Observed> {
    // A tag that is used twice ends the whole connection, whose end is a race with everything on it.
    if (player.consumers.has(queue)) return 'consumes already';
    await player.seat.channel.prefetch(prefetch);
    player.consumers.set(queue, { noAck });
    await player.seat.consume(this.#name(queue), { consumerTag: queue, noAck });
    return 'consumes';
  }

  async #settle(
    player: Player,
    verb: 'ack' | 'reject' | 'requeue',
    nth: number,
  ): Promise<Observed> {
    const all = player.unsettled.toSorted((one, other) => (one.id < other.id ? -1 : 1));
    const chosen = all[nth % Math.max(1, all.length)];
    if (chosen === undefined) return 'nothing to settle';
    player.unsettled.splice(player.unsettled.indexOf(chosen), 1);
    const { channel } = player.seat;
    const fate = await player.seat.fate(() => {
      if (verb === 'ack') channel.ack(chosen.message);
      else channel.reject(chosen.message, verb === 'requeue');
    });
    return [chosen.id, fate];
  }

  /** Its channels one after the other: what two of them give back at once comes back in the order of a race. */
  async #closeConnection(connection: number): Promise<Observed> {
    for (const seat of [connection * 2, connection * 2 + 1]) {
      const player = this.#players[seat];
      if (player === undefined || player.seat.closed !== undefined) continue;
      await player.seat.channel.close();
      await this.#settled(this.#players, true);
    }
    await this.#peers[connection]?.close();
    await this.#connect(connection);
    return 'closed';
  }

  /** What there is to see now that all is quiet. */
  async #look(command: Command): Promise<Observed> {
    const acting = 'seat' in command ? this.#players[command.seat] : undefined;
    const affected = this.#players.filter((one) => one === acting || one.consumers.size > 0);
    const counts = await this.#settled(affected, !harmless.has(command.do), acting);
    const seats = this.#players.map((player) => {
      const { deliveries, returned, confirmed, cancelled, closed } = player.seat;
      const fresh = deliveries.slice(player.seen);
      player.seen = deliveries.length;
      const shown = fresh.map((message) => {
        const { consumerTag, redelivered, routingKey } = message.fields;
        const id = `${consumerTag} ${message.content.toString()}`;
        const noAck = player.consumers.get(consumerTag as QueueName)?.noAck === true;
        if (!noAck) player.unsettled.push({ message, id });
        const deaths = message.properties.headers?.['x-death'] as
          { queue: string; reason: string; count: number }[] | undefined;
        const died = deaths?.map(({ queue, reason, count }) => `${queue} ${reason} ${count}`);
        return `${id} ${routingKey}${redelivered ? ' again' : ''}${died === undefined ? '' : ` (${died.join()})`}`;
      });
      if (closed !== undefined) player.unsettled.splice(0);
      return {
        // Two queues deliver in the order of a race.
        delivered: byConsumer(shown),
        returned: returned.splice(0),
        confirmed: confirmed.toSorted(),
        cancelled: cancelled.splice(0),
        closed,
      };
    });
    return { counts, seats };
  }

  /**
   * Waits until nothing is under way for the channels that are affected. An answer on a channel says that its process has passed on what came before; one of a
   * queue, that it has dealt with it; a second round is for what one queue has dead-lettered into another; an answer on each
   * channel again comes after what the queues have sent there.
   */
  async #settled(
    affected: readonly Player[],
    deadLetters: boolean,
    acting?: Player,
  ): Promise<Observed> {
    if (acting !== undefined) await answered(acting);
    if (deadLetters) await this.#counts();
    const counts = await this.#counts();
    await Promise.all(affected.map(answered));
    return counts;
  }

  async #counts(): Promise<Record<QueueName, string>> {
    const counts = await Promise.all(queues.map((queue) => this.#count(queue)));
    return Object.fromEntries(queues.map((queue, index) => [queue, counts[index]])) as Record<
      QueueName,
      string
    >;
  }

  /** On a channel for each queue, so that all are asked at once, and one that is missing closes nobody else's. */
  async #count(queue: QueueName): Promise<string> {
    let control = this.#controls.get(queue);
    if (control === undefined || control.closed !== undefined) {
      control = await this.#peers[2]?.seat();
      if (control === undefined) return 'unknown';
      this.#controls.set(queue, control);
    }
    try {
      const found = await control.channel.checkQueue(this.#name(queue));
      return `${found.messageCount}/${found.consumerCount}`;
    } catch (error) {
      const refusal = refusalOf(error);
      control.closed ??= refusal;
      return String(refusal.refused);
    }
  }

  readonly #next = (): Buffer => {
    this.#body += 1;
    return Buffer.from(String(this.#body));
  };

  async #end(): Promise<void> {
    const control = await this.#peers[2]?.seat();
    for (const queue of queues) await control?.channel.deleteQueue(this.#name(queue));
    for (const exchange of exchanges) await control?.channel.deleteExchange(this.#name(exchange));
    await Promise.all(this.#peers.map((peer) => peer.close()));
  }
}

async function answered({ seat }: Player): Promise<void> {
  if (seat.closed !== undefined) return;
  await seat.channel.checkExchange('amq.direct').catch(() => undefined);
}

/** What nothing can be dead-lettered by. */
const harmless: ReadonlySet<Command['do']> = new Set([
  'declare',
  'bind',
  'unbind',
  'delete',
  'purge',
]);

function byConsumer(shown: readonly string[]): Record<string, string[]> {
  const consumers: Record<string, string[]> = {};
  for (const one of shown) (consumers[one.split(' ')[0] ?? ''] ??= []).push(one);
  return consumers;
}
