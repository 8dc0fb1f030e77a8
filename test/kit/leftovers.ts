import { onTestFinished } from 'vitest';
import type { CountingClock } from './dial.js';

const kinds = ['TCPSocketWrap', 'TLSWrap', 'Timeout', 'GetAddrInfoReqWrap', 'TCPConnectWrap'];

/** How many timers, sockets and look-ups this process has under way. */
const underWay = (): Record<string, number> => {
  const counts = Object.fromEntries(kinds.map((kind) => [kind, 0]));
  for (const kind of process.getActiveResourcesInfo()) {
    if (kind in counts) counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return counts;
};

/**
 * Notes what is under way now; the returned function gives what has been added since, and the timers on the clock that the
 * test has given to what it tests. Two turns of the event loop pass
 * first: a destroyed socket gives its handle back in the next one. A test with a proxy or a timer of its own has to end
 * those before it asks.
 */
export function leftovers(clock: CountingClock): () => Promise<Record<string, number>> {
  const before = underWay();
  const warnings: Error[] = [];
  const warned = (warning: Error) => warnings.push(warning);
  process.on('warning', warned);
  onTestFinished(() => {
    process.off('warning', warned);
    for (const warning of warnings) throw warning;
  });
  return async () => {
    for (let turns = 0; turns < 2; turns += 1) await new Promise(setImmediate);
    const now = underWay();
    const added = kinds.map((kind) => [kind, (now[kind] ?? 0) - (before[kind] ?? 0)] as const);
    const left = [...added, ['timers of ours', clock.pending] as const];
    return Object.fromEntries(left.filter(([, count]) => count > 0));
  };
}
