import { setTimeout as after } from 'node:timers/promises';

/**
 * Resolves once `fact` holds; asks every 25 ms, since neither the process table nor a broker's boot can be listened to.
 *
 * @throws Error `<what> did not come true within <deadline> ms` with what `detail` adds; what `fact` throws is passed on.
 */
export async function until(
  what: string,
  fact: () => boolean | Promise<boolean>,
  deadline: number,
  detail: () => string = () => '',
): Promise<void> {
  const end = performance.now() + deadline;
  while (!(await fact())) {
    if (performance.now() > end) {
      throw new Error(`${what}: did not come true within ${deadline} ms ${detail()}`.trimEnd());
    }
    await after(25);
  }
}
