import type { MemoryUser } from './broker-store.js';

/** How a memory broker differs from one out of the box. */
export interface MemoryBrokerOptions {
  /** `memory://name` means it, in this process. @default one that nobody else has */
  readonly name?: string | undefined;
  /** On 127.0.0.1. @default one that is free */
  readonly port?: number | undefined;
  /** The virtual hosts that are there from the start. @default `['/']` */
  readonly vhosts?: readonly string[] | undefined;
  /** @default guest with the password guest */
  readonly users?: readonly MemoryUser[] | undefined;
  /** The most channels of a connection. @default 2_047 */
  readonly channelMax?: number | undefined;
  /** Bytes. @default 131_072 */
  readonly frameMax?: number | undefined;
  /** Milliseconds; whole seconds, as AMQP has it. What a client asks for itself counts. @default 60_000 */
  readonly heartbeat?: number | undefined;
}

/** For each option, what is allowed. */
const allowed: Readonly<Record<keyof MemoryBrokerOptions, [string, (value: unknown) => boolean]>> =
  {
    name: ['made of small letters, digits, ".", "_", "~" and "-"', isName],
    port: ['a whole number from 1 to 65535', (value) => isWhole(value, 1, 65_535)],
    vhosts: ['a list of names', isListOf((one) => typeof one === 'string')],
    users: ['a list of { username, password, vhosts? }', isListOf(isUser)],
    channelMax: ['a whole number from 1 to 65535', (value) => isWhole(value, 1, 65_535)],
    frameMax: ['a whole number from 4096', (value) => isWhole(value, 4_096, 2 ** 31)],
    heartbeat: [
      '0 or milliseconds from 1000 to 65535000',
      (value) => value === 0 || isWhole(value, 1_000, 65_535_000),
    ],
  };

/** @throws TypeError naming the option, and what is allowed */
export function checkMemoryBrokerOptions(options: MemoryBrokerOptions): void {
  for (const [key, value] of Object.entries(options)) {
    const rule = Object.hasOwn(allowed, key)
      ? allowed[key as keyof MemoryBrokerOptions]
      : undefined;
    if (rule === undefined) {
      const known = Object.keys(allowed).join(', ');
      throw new TypeError(`MemoryBroker: there is no option "${key}". Known: ${known}.`);
    }
    if (value !== undefined && !rule[1](value)) {
      throw new TypeError(`MemoryBroker: the option "${key}" must be ${rule[0]}.`);
    }
  }
}

function isWhole(value: unknown, least: number, most: number): boolean {
  return Number.isInteger(value) && (value as number) >= least && (value as number) <= most;
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && /^[a-z0-9._~-]+$/u.test(value);
}

function isListOf(holds: (one: unknown) => boolean): (value: unknown) => boolean {
  return (value) => Array.isArray(value) && value.every((one) => holds(one));
}

function isUser(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { username, password } = value as Partial<MemoryUser>;
  return typeof username === 'string' && typeof password === 'string';
}
