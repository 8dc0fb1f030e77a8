import { connect } from 'amqplib';
import { MemoryBroker } from 'nestjs-failover/testing';
import type { RabbitNode, UrlParts } from './rabbitmq/index.js';

/** What stories ask of a broker that a memory broker has as well. */
export type StoryNode = Pick<
  RabbitNode,
  | 'port'
  | 'url'
  | 'start'
  | 'kill'
  | 'stop'
  | 'pause'
  | 'resume'
  | 'heal'
  | 'memoryAlarm'
  | 'messageCount'
  | 'readyCount'
  | 'consumerCount'
  | 'connectionCount'
  | 'closeConnections'
  | 'deleteQueue'
  | 'addVhost'
  | 'deleteVhost'
>;

/** A memory broker in the words of the kit, so that a story runs on either engine. */
export class MemoryNode implements StoryNode {
  #broker: MemoryBroker | undefined;

  async begin(): Promise<void> {
    this.#broker = await MemoryBroker.start();
  }

  async end(): Promise<void> {
    await this.#broker?.close();
  }

  get port(): number {
    return this.broker.port;
  }

  url({ user = 'guest', password = 'guest', vhost = '/' }: UrlParts = {}): string {
    return `amqp://${encodeURIComponent(user)}:${encodeURIComponent(password)}@127.0.0.1:${this.port}/${encodeURIComponent(vhost)}`;
  }

  async start(): Promise<void> {
    if (this.broker.state === 'down') await this.broker.restart();
  }

  async kill(): Promise<void> {
    this.broker.kill();
  }

  async stop(): Promise<void> {
    this.broker.stop();
  }

  async pause(): Promise<void> {
    this.broker.pause();
  }

  async resume(): Promise<void> {
    await this.broker.resume();
  }

  async heal(): Promise<void> {
    await this.start();
    await this.resume();
    this.broker.unblock();
  }

  async memoryAlarm(on: boolean): Promise<void> {
    if (on) this.broker.block();
    else this.broker.unblock();
  }

  async messageCount(queue: string, vhost?: string): Promise<number | undefined> {
    const { exists, messages } = this.broker.queue(queue, vhost);
    return exists ? messages : undefined;
  }

  async readyCount(queue: string, vhost?: string): Promise<number | undefined> {
    const { exists, ready } = this.broker.queue(queue, vhost);
    return exists ? ready : undefined;
  }

  async consumerCount(queue: string, vhost?: string): Promise<number | undefined> {
    const { exists, consumers } = this.broker.queue(queue, vhost);
    return exists ? consumers : undefined;
  }

  async connectionCount(vhost?: string): Promise<number> {
    return this.broker.connections.filter((one) => vhost === undefined || one.vhost === vhost)
      .length;
  }

  async closeConnections(reason: string): Promise<void> {
    this.broker.closeConnections(320, reason);
  }

  async deleteQueue(queue: string, vhost = '/'): Promise<void> {
    const model = await connect(this.url({ vhost }));
    await (await model.createChannel()).deleteQueue(queue);
    await model.close();
  }

  async addVhost(name: string): Promise<void> {
    this.broker.addVhost(name);
  }

  /** It goes with the broker, which serves one file. */
  async deleteVhost(): Promise<void> {}

  get broker(): MemoryBroker {
    if (this.#broker === undefined) throw new Error('the broker is not started yet');
    return this.#broker;
  }
}
