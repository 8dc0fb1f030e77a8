import { describe, expect, test } from 'vitest';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import { MemoryBroker } from 'nestjs-failover/testing';
import { useBrokers, useSharedVhost } from '../kit/brokers.js';
import { normalised } from './normalised.js';
import type { Observed } from './seat.js';
import { Peer } from './seat.js';

/** Where a case is played: on RabbitMQ, or on a MemoryBroker. */
export interface Stage {
  /** The address of the broker, with the virtual host of the file. */
  readonly url: string;
  readonly vhost: string;
  /** The name of a queue or exchange of this case. */
  name(short: string): string;
  /** A connection that ends with the case. */
  connect(options?: object): Promise<Peer>;
}

/** Plays a story and tells what a client has seen of it. */
export type Case = (stage: Stage) => Promise<Observed>;

let count = 0;

/**
 * Plays each case on RabbitMQ and on a MemoryBroker. What a client sees has to be the same; no expectation is written down, since
 * the one that counts is what RabbitMQ does today.
 */
export function conforms(subject: string, cases: Readonly<Record<string, Case>>): void {
  const [rabbit] = useBrokers({ healed: 'once' });
  const vhost = useSharedVhost(rabbit);
  let memory: MemoryBroker;
  beforeAll(async () => {
    memory = await MemoryBroker.start({ vhosts: [vhost.name] });
  });
  afterAll(() => memory.close());

  describe(`${subject}, as on RabbitMQ`, () => {
    test.each(Object.entries(cases))('%s', async (_name, play) => {
      count += 1;
      const prefix = `case${count}-`;
      const on = async (url: string): Promise<Observed> => {
        const peers: Peer[] = [];
        onTestFinished(async () => {
          await Promise.all(peers.map((peer) => peer.close()));
        });
        const observed = await play({
          url,
          vhost: vhost.name,
          name: (short) => `${prefix}${short}`,
          connect: async (options) => {
            const peer = await Peer.open(url, options);
            peers.push(peer);
            return peer;
          },
        });
        return normalised(observed, {
          [prefix]: '',
          [encodeURIComponent(vhost.name)]: '<vhost>',
          [vhost.name]: '<vhost>',
        });
      };
      const [expected, actual] = await Promise.all([
        on(vhost.url(rabbit)),
        on(memory.url(vhost.name)),
      ]);
      expect(actual).toEqual(expected);
      // A case that sees nothing compares nothing.
      expect(expected).not.toBeUndefined();
    });
  });
}
