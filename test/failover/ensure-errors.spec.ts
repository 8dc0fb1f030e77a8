import { describe, expect, it } from 'vitest';
import { PublishError, TopologyError } from '../../lib/errors.js';
import type { ErrbackEvent } from '../../lib/failover/ensure-options.js';
import { ensured } from './fakes/ensured-setting.js';
import { settled } from './fakes/fake-clock.js';
import { fakeSetting, watch } from './fakes/fake-setting.js';

/** As a socket's error looks, but it is the caller's own. */
const resetLike = () => Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });

describe('ensure: a channel that is closed', () => {
  it.each([405, 311, 313, 541])(
    'with %i is replaced, and the operation run again',
    async (code) => {
      const { transport, operation, holder, runs } = await ensured();
      const old = holder.channel;
      const codes: (number | 'ok')[] = [code];
      transport.latest.answer = () => codes.shift() ?? 'ok';
      expect(await operation('orders')).toBe('orders');
      expect(runs).toHaveLength(2);
      expect(holder.revivedOn).toEqual(['a']);
      expect(holder.channel).not.toBe(old);
      expect(transport.dialled).toEqual(['a']);
    },
  );

  it.each([403, 404, 406])(
    'with %i, which tells of the queue, is rethrown untouched',
    async (code) => {
      const told: ErrbackEvent[] = [];
      const { transport, operation, holder, runs } = await ensured({
        errback: (event) => told.push(event),
      });
      transport.latest.answer = () => code;
      const failed = watch(operation('orders'));
      await settled();
      expect(failed.error).toBe(holder.channel?.loss);
      expect(runs).toHaveLength(1);
      expect(told).toEqual([]);
    },
  );
});

describe('ensure: whose error it is', () => {
  it("the caller's own, though it looks like a socket's and the connection is lost: run once, untouched", async () => {
    const { connection, transport } = fakeSetting();
    await connection.ensureConnection();
    const error = resetLike();
    let runs = 0;
    const operation = connection.ensure(null, async () => {
      runs += 1;
      transport.latest.drop();
      throw error;
    });
    await expect(operation()).rejects.toBe(error);
    await settled();
    expect(runs).toBe(1);
  });

  it('one of ours in the chain of causes is retried', async () => {
    const { connection, transport } = fakeSetting();
    await connection.ensureConnection();
    let runs = 0;
    const operation = connection.ensure(null, async () => {
      runs += 1;
      if (runs > 1) return 'done';
      const cause = transport.latest.drop();
      throw new Error('cannot save', {
        cause: new TopologyError('cannot declare', 'queue "q"', undefined, { cause }),
      });
    });
    expect(await operation()).toBe('done');
  });

  it('behind an OperationalError is not retried: where one policy gave up, no other goes on', async () => {
    const { connection, transport } = fakeSetting();
    await connection.ensureConnection();
    let runs = 0;
    const inner = connection.ensure(
      null,
      async () => {
        runs += 1;
        throw transport.latest.drop();
      },
      { maxRetries: 0 },
    );
    const outer = connection.ensure(null, async () => {
      try {
        return await inner();
      } catch (cause) {
        throw new Error('inner failed', { cause });
      }
    });
    await expect(outer()).rejects.toThrow('inner failed');
    expect(runs).toBe(1);
  });

  it('behind a PublishError is not retried: the message may be stored', async () => {
    const { connection, transport } = fakeSetting();
    await connection.ensureConnection();
    let runs = 0;
    const operation = connection.ensure(null, async () => {
      runs += 1;
      const cause = transport.latest.drop();
      throw new PublishError('no confirm', 'unknown', 'id', undefined, { cause });
    });
    await expect(operation()).rejects.toThrow('no confirm');
    expect(runs).toBe(1);
  });

  it('a chain of causes that is a ring ends', async () => {
    const { connection } = fakeSetting();
    const ring = new Error('ring');
    ring.cause = ring;
    await expect(connection.ensure(null, () => Promise.reject(ring))()).rejects.toBe(ring);
  });

  it('a fault of another connection is not retried', async () => {
    const { connection } = fakeSetting();
    const other = fakeSetting();
    await connection.ensureConnection();
    await other.connection.ensureConnection();
    let runs = 0;
    const operation = connection.ensure(null, async () => {
      runs += 1;
      throw other.transport.latest.drop();
    });
    await expect(operation()).rejects.toBe(other.transport.latest.loss);
    expect(runs).toBe(1);
  });

  it('a fault of an earlier connection of this one is retried', async () => {
    const { connection, transport } = fakeSetting();
    await connection.ensureConnection();
    const loss = transport.latest.drop();
    await connection.ensureConnection();
    let runs = 0;
    const operation = connection.ensure(null, async () => {
      runs += 1;
      if (runs === 1) throw loss;
      return 'done';
    });
    expect(await operation()).toBe('done');
  });

  it.each([
    [
      'a synchronous throw',
      () => {
        throw new TypeError('mine');
      },
    ],
    [
      'a thrown string',
      () => {
        // oxlint-disable-next-line typescript/only-throw-error -- users do
        throw 'mine';
      },
    ],
    // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- users do
    ['undefined as a rejection', () => Promise.reject(undefined)],
  ])('%s is passed on', async (_, operation) => {
    const { connection } = fakeSetting();
    const failed = watch(connection.ensure(null, operation)());
    await settled();
    expect(failed.outcome).toBe('rejected');
  });
});
