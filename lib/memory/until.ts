import type { BrokerStore } from './broker-store.js';

export interface UntilOptions {
  /** Milliseconds. @default 5_000 */
  readonly timeout?: number | undefined;
}

// For facts outside the broker, which nobody tells it of.
const INTERVAL = 20;

/** Waits until something holds, looking after each change of the broker. @throws Error saying what did not come true */
export function until(
  { listeners }: BrokerStore,
  holds: () => boolean,
  state: () => string,
  { timeout = 5_000 }: UntilOptions = {},
): Promise<void> {
  return new Promise((resolve, reject) => {
    check(holds, timeout);
    let due: NodeJS.Immediate | undefined;
    const look = (): void => {
      due = undefined;
      try {
        if (!isTrue(holds())) return;
        end();
        resolve();
      } catch (error) {
        end();
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    };
    // After the change: whoever makes it is not done with it.
    const changed = (): void => void (due ??= setImmediate(look));
    const interval = setInterval(look, INTERVAL);
    const deadline = setTimeout(() => {
      end();
      reject(new Error(`Not true after ${timeout} ms: ${holds.toString()}. ${state()}`));
    }, timeout);
    const end = (): void => {
      listeners.delete(changed);
      clearInterval(interval);
      clearTimeout(deadline);
      clearImmediate(due);
    };
    listeners.add(changed);
    look();
  });
}

/** @throws TypeError */
function check(holds: unknown, timeout: unknown): void {
  if (typeof holds !== 'function') {
    throw new TypeError('until: the first argument must be a function that says whether it holds.');
  }
  if (typeof timeout !== 'number' || !(timeout >= 0)) {
    throw new TypeError(`until: "timeout" must be milliseconds, and is ${String(timeout)}.`);
  }
}

/** A promise would be true at once, and what is forgotten to be returned never. @throws TypeError */
function isTrue(answer: unknown): boolean {
  if (typeof answer === 'boolean') return answer;
  const given = answer instanceof Promise ? 'a promise' : String(answer);
  throw new TypeError(`until: its function must return true or false, and has returned ${given}.`);
}
