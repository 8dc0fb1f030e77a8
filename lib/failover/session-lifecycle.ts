import type { ConsumeEndReason } from '../policy/consumer-state.js';
import type { ConnectionParts } from './connection-parts.js';
import type { ConsumerDefinition } from './consumer-definition.js';
import type { ConsumerHooks, ExtraContext } from './consumer-hooks.js';
import { disposeOf } from './dispose-of.js';
import type { ResolvedConsumerOptions } from './consumer-options.js';
import type { ConsumerSession } from './consumer-session.js';
import { hooked } from './hooked.js';
import type { Link } from './link.js';
import { guarded } from './listeners.js';
import { settledWithin } from './settled-within.js';

/** Calls the hooks of a consumer around each of its sessions, in their order. */
export class SessionLifecycle {
  readonly #hooks: ConsumerHooks;

  /** @param over ends every wait for a hook */
  constructor(
    private readonly parts: Pick<ConnectionParts, 'clock' | 'logger' | 'listeners'>,
    private readonly definition: ConsumerDefinition,
    private readonly options: ResolvedConsumerOptions,
    private readonly over: AbortSignal,
  ) {
    this.#hooks = definition.hooks ?? {};
  }

  /** Has `onConnectionError` told from now on. @returns what ends that */
  tellConnectionErrors(): () => void {
    const { listeners } = this.parts;
    if (this.#hooks.onConnectionError === undefined) return () => undefined;
    const tell = (told: { error: Error; interval: number; broker: string }): void =>
      guarded(
        () => this.#hooks.onConnectionError?.(told.error, told.interval, told.broker),
        'onConnectionError',
        listeners.onError,
      );
    const offs = [listeners.on('failed', tell), listeners.on('lost', tell)];
    return () => {
      for (const off of offs) off();
    };
  }

  /** Waits for the hook no longer than the connection lives, and until `signal` aborts. */
  async revived(link: Link, signal: AbortSignal): Promise<void> {
    if (this.#hooks.onConnectionRevived === undefined) return;
    const lost = new Promise<void>((resolve) => link.connection.onEnd(() => resolve()));
    const heard = this.#hook('onConnectionRevived', () => this.#hooks.onConnectionRevived?.());
    const { clock } = this.parts;
    await settledWithin(clock, this.options.settleTimeout, signal, Promise.race([heard, lost]));
  }

  /** From the registration to the end of the session, whose reason it gives. Never rejects. */
  async live(session: ConsumerSession): Promise<ConsumeEndReason> {
    const { ended, channel } = session;
    const context = this.#enter(session);
    await Promise.race([context.entered, ended]);
    if (session.isConsuming) {
      const ready = this.#hook('onConsumeReady', () => this.#hooks.onConsumeReady?.(channel));
      await Promise.race([ready, ended]);
    }
    const stop = this.#iterate();
    const reason = await ended;
    stop();
    await this.#bounded('onConsumeEnd', () => this.#hooks.onConsumeEnd?.(reason));
    await this.#bounded('extraContext', context.leave);
    return reason;
  }

  /** A context that comes after the end of its session is disposed of when it comes. */
  #enter({ channel }: ConsumerSession) {
    let context: ExtraContext;
    let left = false;
    const entered = this.#hook('extraContext', async () => {
      context = await this.#hooks.extraContext?.(channel);
      if (left) await disposeOf(context);
    });
    const leave = (): unknown => {
      left = true;
      return disposeOf(context);
    };
    return { entered, leave };
  }

  #iterate(): () => void {
    const { clock } = this.parts;
    if (this.#hooks.onIteration === undefined) return () => undefined;
    let over = false;
    let cancel = (): void => undefined;
    const next = (): void => {
      cancel = clock.schedule(this.options.safetyInterval, () => {
        const told = this.#hook('onIteration', () => this.#hooks.onIteration?.());
        void told.then(() => over || next());
      });
    };
    next();
    return () => {
      over = true;
      cancel();
    };
  }

  #hook(hook: keyof ConsumerHooks, call: () => unknown): Promise<void> {
    return hooked(this.parts, `${this.definition.name}.${hook}`, call);
  }

  /** A hook that never settles must not keep the consumer from consuming again. */
  #bounded(hook: keyof ConsumerHooks, call: () => unknown): Promise<void> {
    const { clock } = this.parts;
    return settledWithin(clock, this.options.settleTimeout, this.over, this.#hook(hook, call));
  }
}
