import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { recoverability } from '../../lib/policy/recoverability.js';

const anyCode = fc.option(fc.integer({ min: 200, max: 600 }), { nil: undefined });

describe('recoverability', () => {
  it.each([
    { code: undefined, why: 'the socket or the heartbeat', by: 'connection' },
    { code: 320, why: 'connection-forced', by: 'connection' },
    { code: 506, why: 'resource-error', by: 'connection' },
    { code: 541, why: 'internal-error', by: 'connection' },
    { code: 404, why: 'a code of channels', by: 'connection' },
    { code: 599, why: 'a code that AMQP does not know', by: 'connection' },
    { code: 402, why: 'invalid-path', by: 'none' },
    { code: 501, why: 'frame-error', by: 'none' },
    { code: 502, why: 'syntax-error', by: 'none' },
    { code: 503, why: 'command-invalid', by: 'none' },
    { code: 504, why: 'channel-error', by: 'none' },
    { code: 505, why: 'unexpected-frame', by: 'none' },
    { code: 530, why: 'not-allowed', by: 'none' },
    { code: 540, why: 'not-implemented', by: 'none' },
  ] as const)('of a connection lost with $code ($why) is $by', ({ code, by }) => {
    // The channels of a lost connection are closed too, or not yet told so.
    for (const channelClosed of [true, false]) {
      expect(recoverability({ connectionLost: true, channelClosed, code })).toBe(by);
    }
  });

  it.each([
    { code: undefined, why: 'no reason given', by: 'channel' },
    { code: 311, why: 'content-too-large', by: 'channel' },
    { code: 313, why: 'no-consumers', by: 'channel' },
    { code: 405, why: 'resource-locked', by: 'channel' },
    { code: 541, why: 'internal-error', by: 'channel' },
    { code: 530, why: 'a code of connections', by: 'channel' },
    { code: 599, why: 'a code that AMQP does not know', by: 'channel' },
    { code: 403, why: 'access-refused', by: 'none' },
    { code: 404, why: 'not-found', by: 'none' },
    { code: 406, why: 'precondition-failed', by: 'none' },
  ] as const)('of a channel closed with $code ($why) is $by', ({ code, by }) => {
    expect(recoverability({ connectionLost: false, channelClosed: true, code })).toBe(by);
  });

  it('is none while connection and channel live, whatever the code', () => {
    fc.assert(
      fc.property(anyCode, (code) => {
        expect(recoverability({ connectionLost: false, channelClosed: false, code })).toBe('none');
      }),
    );
  });

  it('never answers a loss of the connection with a new channel', () => {
    fc.assert(
      fc.property(anyCode, fc.boolean(), (code, channelClosed) => {
        expect(recoverability({ connectionLost: true, channelClosed, code })).not.toBe('channel');
      }),
    );
  });

  it('never answers a closed channel with a new connection', () => {
    fc.assert(
      fc.property(anyCode, (code) => {
        const facts = { connectionLost: false, channelClosed: true, code };
        expect(recoverability(facts)).not.toBe('connection');
      }),
    );
  });
});
