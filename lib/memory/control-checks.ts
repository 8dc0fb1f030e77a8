import type { ControlAction, Direction } from './faults.js';
import type { MethodName } from './wire/method-table.js';
import { methodTable } from './wire/method-table.js';

const brokerOnly =
  /-ok$|^connection\.(start|secure|tune|blocked|unblocked)$|^basic\.(deliver|return|get-empty)$/u;
const clientOks = /^connection\.(start|secure|tune)-ok$/u;

/** Who sends a method, when nothing else is said: the client if it can. */
export const senderOf = (method: MethodName): Direction =>
  brokerOnly.test(method) && !clientOks.test(method) ? 'broker' : 'client';

/** @throws TypeError saying what is wrong with the arguments of `control`, and what is allowed */
export function checkControl(method: unknown, decide: unknown, from: unknown): void {
  if (typeof method !== 'string' || !Object.hasOwn(methodTable, method)) {
    const known = Object.keys(methodTable).join(', ');
    throw new TypeError(`control: there is no method "${String(method)}". Known: ${known}.`);
  }
  if (typeof decide !== 'function') {
    throw new TypeError('control: the second argument must be a function of the method.');
  }
  if (from !== 'client' && from !== 'broker') {
    throw new TypeError(`control: "from" must be client or broker, and is ${String(from)}.`);
  }
}

const words = new Set<unknown>(['pass', 'drop', 'nack', 'kill', 'reset']);
const verbs = ['delay', 'closeChannel', 'closeConnection'] as const;

/** @throws TypeError when the function of a test has decided on nothing that can be done */
export function checkAction(method: MethodName, action: unknown): ControlAction {
  if (isAction(action)) return action;
  const given = action instanceof Promise ? 'a promise' : JSON.stringify(action);
  throw new TypeError(
    `control('${method}'): its function has returned ${given}. It must return nothing, 'pass', 'drop', 'nack', 'kill', 'reset', { delay }, { closeChannel } or { closeConnection }, the latter with a number.`,
  );
}

function isAction(action: unknown): action is ControlAction {
  if (words.has(action)) return true;
  if (typeof action !== 'object' || action === null) return false;
  const given = action as Partial<Record<(typeof verbs)[number], unknown>>;
  return verbs.some((verb) => Number.isFinite(given[verb]));
}
