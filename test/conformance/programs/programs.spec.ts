import { isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MemoryBroker } from 'nestjs-failover/testing';
import { useBrokers, useSharedVhost } from '../../kit/brokers.js';
import { normalised } from '../normalised.js';
import type { Observed } from '../seat.js';
import type { Command } from './commands.js';
import { programs } from './commands.js';
import { ProgramPlayer } from './player.js';

/** How many programs are played, and from which seed on. `AGAINST=rabbitmq` plays RabbitMQ against itself. */
const PROGRAMS = Number(process.env['PROGRAMS'] ?? 500);
const SEED = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
const AGAINST_ITSELF = process.env['AGAINST'] === 'rabbitmq';
/** At a time: most of a program's time is waiting for answers. */
const WIDTH = 8;

const [rabbit] = useBrokers({ healed: 'once' });
const vhost = useSharedVhost(rabbit);
let memory: MemoryBroker;
beforeAll(async () => {
  memory = await MemoryBroker.start({ vhosts: [vhost.name] });
});
afterAll(() => memory.close());

let played = 0;

async function transcript(url: string, program: readonly Command[]): Promise<Observed> {
  played += 1;
  const prefix = `p${played}-`;
  const observed = await ProgramPlayer.play(url, prefix, program);
  return normalised(observed, { [prefix]: '', [vhost.name]: '<vhost>' });
}

interface Played {
  readonly expected: unknown;
  readonly actual: unknown;
}

async function play(program: readonly Command[]): Promise<Played> {
  const other = AGAINST_ITSELF ? vhost.url(rabbit) : memory.url(vhost.name);
  const [expected, actual] = await Promise.all([
    transcript(vhost.url(rabbit), program),
    transcript(other, program),
  ]);
  return { expected, actual };
}

const differs = async (program: readonly Command[]): Promise<boolean> => {
  const { expected, actual } = await play(program);
  return !isDeepStrictEqual(expected, actual);
};

/** Takes away what is not needed for the difference, half by half and one by one. */
async function shortest(program: readonly Command[]): Promise<readonly Command[]> {
  let current = program;
  for (let size = Math.ceil(current.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let at = 0; at < current.length;) {
      const without = [...current.slice(0, at), ...current.slice(at + size)];
      if (without.length > 0 && (await differs(without))) current = without;
      else at += size;
    }
  }
  return current;
}

test(
  `${PROGRAMS} programs from seed ${SEED} do on a memory broker what they do on RabbitMQ`,
  { timeout: 60_000 + PROGRAMS * 2_000 },
  async () => {
    const drawn = fc.sample(programs, { numRuns: PROGRAMS, seed: SEED });
    let next = 0;
    let failed: { readonly index: number; readonly program: readonly Command[] } | undefined;
    const worker = async (): Promise<void> => {
      while (failed === undefined && next < drawn.length) {
        const index = next;
        next += 1;
        const program = drawn[index];
        if (program !== undefined && (await differs(program))) failed ??= { index, program };
      }
    };
    const begun = performance.now();
    await Promise.all(Array.from({ length: WIDTH }, worker));
    const seconds = ((performance.now() - begun) / 1_000).toFixed(1);
    const commands = drawn.reduce((sum, { length }) => sum + length, 0);
    process.stdout.write(
      `[programs] seed ${SEED}: ${next} programs, ${commands} commands, ${seconds} s\n`,
    );
    if (failed === undefined) return;
    const program = await shortest(failed.program);
    const lines = program.map((command) => JSON.stringify(command)).join('\n');
    process.stdout.write(`[programs] SEED=${SEED}, program ${failed.index}, shortest:\n${lines}\n`);
    const { expected, actual } = await play(program);
    expect(actual, `SEED=${SEED} npm run test:conformance`).toEqual(expected);
    throw new Error(`program ${failed.index} of seed ${SEED} differed once, and then no more`);
  },
);
