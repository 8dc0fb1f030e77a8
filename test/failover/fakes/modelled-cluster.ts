import type { PublishError } from '../../../lib/errors.js';
import { isPublishError } from '../../../lib/errors.js';
import type { PublishReceipt } from '../../../lib/failover/outbox-entry.js';
import type { PublishOptions } from '../../../lib/failover/publish-options.js';
import type { PublishedChannel, Sent } from './publishing.js';

/** What the cluster does with a publish when it gets to it. */
export type Verdict = 'take' | 'nack' | 'return';

export interface Published {
  readonly number: number;
  readonly key: string;
  readonly options: PublishOptions;
  readonly controller: AbortController;
  seen: { outcome: string; value?: PublishReceipt; error?: unknown };
  /** How often it was taken, nacked, given back. */
  readonly fates: Verdict[];
  /** To how many of its attempts there was an answer before it had settled. */
  answers: number;
}

/** One cluster behind brokers `a` and `b`: it works off each channel in order, and answers in any. */
export class ModelledCluster {
  readonly #unread = new Map<PublishedChannel, Sent[]>();
  readonly #unanswered = new Map<PublishedChannel, { sent: Sent; verdict: Verdict }[]>();
  readonly published = new Map<string, Published>();
  /** The exchanges that there are, beside the default one. */
  readonly exchanges = new Set<string>();
  /** In the order in which they were taken, first deliveries only. */
  readonly delivered: Published[] = [];

  read(sent: Sent): void {
    this.#unread.set(sent.on, [...(this.#unread.get(sent.on) ?? []), sent]);
  }

  channels(): PublishedChannel[] {
    return [...this.#unread.keys()].filter(({ open }) => open);
  }

  /** Works off one publish of a channel. */
  work(on: PublishedChannel, verdict: Verdict): void {
    const sent = this.#unread.get(on)?.shift();
    if (sent === undefined || !on.open) return;
    if (sent.exchange !== '' && !this.exchanges.has(sent.exchange)) {
      return void on.fake.closeBy(404, ` - no exchange '${sent.exchange}' in vhost '/'`);
    }
    if (sent.routingKey === 'poison') return void on.connection.drop(501);
    const publish = this.published.get(String(sent.properties.messageId));
    if (publish === undefined) throw new Error('a message that nobody has published');
    if (verdict === 'take' && !publish.fates.includes('take')) this.delivered.push(publish);
    publish.fates.push(verdict);
    if (verdict === 'return') on.return(sent.tag);
    this.#unanswered.set(on, [...(this.#unanswered.get(on) ?? []), { sent, verdict }]);
  }

  /** Answers one of what was worked off, or with `multiple` all up to the first that has another answer. */
  answer(on: PublishedChannel, index: number, multiple: boolean): void {
    const waiting = this.#unanswered.get(on) ?? [];
    if (waiting.length === 0 || !on.open) return;
    if (!multiple) {
      const [one] = waiting.splice(index % waiting.length, 1);
      this.#count(one?.sent);
      if (one?.verdict === 'nack') on.nack(one.sent.tag);
      else if (one !== undefined) on.ack(one.sent.tag);
      return;
    }
    waiting.sort((one, other) => one.sent.tag - other.sent.tag);
    const nack = waiting[0]?.verdict === 'nack';
    const end = waiting.findIndex(({ verdict }) => (verdict === 'nack') !== nack);
    const same = waiting.splice(0, end === -1 ? waiting.length : end);
    for (const { sent } of same) this.#count(sent);
    const last = same.at(-1)?.sent.tag ?? 0;
    if (nack) on.nack(last, true);
    else on.ack(last, true);
  }

  #count(sent: Sent | undefined): void {
    const publish = this.published.get(String(sent?.properties.messageId));
    if (publish?.seen.outcome === 'pending') publish.answers += 1;
  }

  /** Works off and answers everything. */
  workAll(on: PublishedChannel): void {
    while (on.open && (this.#unread.get(on)?.length ?? 0) > 0) this.work(on, 'take');
    while (on.open && (this.#unanswered.get(on)?.length ?? 0) > 0) this.answer(on, 0, false);
  }
}

/** @returns what a publish says of itself that is not what happened to it */
export function lies(publish: Published, sent: readonly Sent[]): string[] {
  const { number, key, options, seen, fates, answers, controller } = publish;
  const attempts = sent.filter(({ properties }) => properties.messageId === String(number));
  const times = attempts.length;
  const taken = fates.includes('take');
  const { outcome, code, message } = (seen.error ?? {}) as PublishError;
  // Neither an offender nor refused, in no hurry, and nobody has taken it back.
  const harmless =
    Object.keys(options).length === 0 &&
    !['missing', 'fleeting', 'poison'].includes(key) &&
    !fates.some((fate) => fate !== 'take') &&
    !controller.signal.aborted;
  const once = options.retry === false || options.republish === false;
  const most = once ? 1 : 1 + (options.maxRetries ?? 1_000);
  const claims: [string, boolean][] = [
    ['is pending', seen.outcome !== 'pending'],
    [`was sent ${times} times`, times <= most],
    ['is confirmed', seen.outcome !== 'resolved' || taken],
    [`took ${seen.value?.attempts} attempts`, [times, undefined].includes(seen.value?.attempts)],
    ['failed otherwise', seen.outcome !== 'rejected' || isPublishError(seen.error)],
    ['was not sent', outcome !== 'not-sent' || times === 0],
    ['was returned', outcome !== 'returned' || (fates.includes('return') && !taken)],
    ['was nacked', outcome !== 'nacked' || (fates.includes('nack') && !taken)],
    [
      'was refused',
      outcome !== 'refused' || (['missing', 'fleeting'].includes(key) && code === 404 && !taken),
    ],
    ['is unknown', outcome !== 'unknown' || times > answers],
    [
      `though harmless has failed: ${message}`,
      !harmless || seen.outcome !== 'rejected' || message.includes('within its timeout'),
    ],
  ];
  return claims
    .filter(([, holds]) => !holds)
    .map(([claim]) => `${number} (${key}) ${claim}, after ${times} sends: ${fates.join()}`);
}

/** @returns by key, the numbers of the first deliveries in their order, but for what was nacked, which may go out of line */
export function firstDeliveries({ delivered }: ModelledCluster): number[][] {
  const byKey = new Map<string, number[]>();
  for (const { number, key, fates } of delivered) {
    if (!fates.includes('nack')) byKey.set(key, [...(byKey.get(key) ?? []), number]);
  }
  return [...byKey.values()];
}
