import { expect, it } from 'vitest';
import { Outbox } from '../../lib/failover/outbox.js';
import type { OutboxEntry } from '../../lib/failover/outbox-entry.js';
import { entry, missing, outboxLimits, unreadable } from './fakes/outbox-entries.js';

const precondition = (words: string) => ({ code: 406, message: `closed: ${words}` });

type End = ReturnType<typeof missing>;

/**
 * The first publish goes to `exchange`, beside ones to `others`, and the channel is closed with the first of `ends`. Alone it
 * meets the rest of them.
 */
function verdictOf(exchange: string, others: readonly string[], ends: readonly End[], seen = '') {
  const outbox = new Outbox(outboxLimits);
  outbox.answered(entry(0, { exchange: seen }));
  const all = [exchange, ...others].map((to, number) => entry(number, { exchange: to }));
  for (const one of all) outbox.add(one);
  const [first] = all as [OutboxEntry];
  const [together, ...alone] = ends;
  const sent = Array.from({ length: all.length }, () => outbox.take(0)) as OutboxEntry[];
  let verdicts = outbox.lost(sent, 'killed', together as End);
  for (const end of alone) {
    outbox.take(0);
    verdicts = outbox.lost([first], 'killed', end);
  }
  return verdicts.get(first);
}

const gone = missing('e');

it.each<[string, 'refused' | 'unknown', Parameters<typeof verdictOf>]>([
  ['alone from the start', 'refused', ['e', [], [gone]]],
  ['alone from the start, though others got there before', 'refused', ['e', [], [gone], 'e']],
  ['the only one that the words are about', 'refused', ['e', ['', 'f'], [gone, gone]]],
  ['one of several to where none ever was taken', 'refused', ['e', ['e', ''], [gone, gone]]],
  [
    'followed by one to the same exchange, which was there before',
    'unknown',
    ['e', ['e', ''], [gone, gone], 'e'],
  ],
  ['beside one that the words were about', 'unknown', ['e', ['f'], [missing('f'), gone]]],
  [
    'of the default exchange, whatever is said',
    'unknown',
    ['', ['f'], [missing('f'), missing('f')]],
  ],
  [
    'wrong in itself, and others not',
    'refused',
    ['', ['', ''], [precondition('no user a'), precondition('no user a')]],
  ],
  [
    'wrong in itself, beside one that is wrong otherwise',
    'unknown',
    ['', ['', ''], [precondition('no user b'), precondition('no user a')]],
  ],
])('a publish that is %s is %s', (_, verdict, facts) => {
  expect(verdictOf(...facts)).toBe(verdict);
});

it('a publish that was killed by its own fault, and then lost, is unknown', () => {
  const outbox = new Outbox(outboxLimits);
  const one = entry(1, { exchange: 'e' });
  const other = entry(2);
  for (const added of [one, other]) outbox.add(added);
  outbox.lost([outbox.take(0), outbox.take(0)] as OutboxEntry[], 'killed', gone);
  outbox.lost([outbox.take(0)] as OutboxEntry[], 'lost', unreadable);
  outbox.take(0);
  expect(outbox.lost([one], 'killed', gone).get(one)).toBe('unknown');
});

it('a publish is given up when it was alone twice as its connection was ended: anyone may have done it once', () => {
  const outbox = new Outbox(outboxLimits);
  const one = entry(1);
  outbox.add(one);
  outbox.take(0);
  expect(outbox.lost([one], 'killed-connection', unreadable).size).toBe(0);
  expect(outbox.take(0)).toBe(one);
  expect(outbox.lost([one], 'killed-connection', unreadable).get(one)).toBe('unknown');
});
