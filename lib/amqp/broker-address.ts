import { ConfigurationError } from '../errors.js';
import { Broker } from './broker.js';
import type { BrokerOptions } from './broker-options.js';
import {
  brokerEntry,
  duplicateBroker,
  emptyEntry,
  mixedSchemes,
  noBrokers,
  notBrokers,
  separatorInEntry,
} from './broker.messages.js';
import { brokerUrl } from './broker-url.js';
import { completeBroker } from './complete-broker.js';
import { shown, notAnObject } from '../option.messages.js';

/** One broker as it may be given: a URL, options, or one that was parsed before. */
export type BrokerInput = string | BrokerOptions | Broker;

export interface ParseBrokersOptions {
  /** Lets `amqp` and `amqps` stand in one list, and so the password travel in clear to some. Default false. */
  readonly allowMixedSchemes?: boolean | undefined;
}

function entriesOf(urls: unknown): readonly unknown[] {
  if (Array.isArray(urls)) return urls;
  if (typeof urls !== 'string') throw new ConfigurationError(notBrokers(shown(urls)));
  const entries = urls.split(';');
  if (entries.at(-1)?.trim() === '') entries.pop();
  return entries;
}

function parseEntry(given: unknown, index: number, first: Broker | undefined): Broker {
  if (given instanceof Broker) return given;
  if (typeof given === 'string') {
    const url = given.replaceAll(/^ +| +$/gu, '');
    const entry = brokerEntry(index, url);
    if (url === '') throw new ConfigurationError(emptyEntry(brokerEntry(index)));
    if (url.includes(';')) throw new ConfigurationError(separatorInEntry(entry));
    return completeBroker(brokerUrl(url, entry), entry, first);
  }
  const entry = brokerEntry(index);
  if (typeof given !== 'object' || given === null) {
    throw new ConfigurationError(notAnObject(entry, given));
  }
  // A copy: getters of a class (a `URL`) would pass the checks unseen.
  return completeBroker({ ...(given as BrokerOptions) }, entry, first);
}

function checkSchemes(brokers: readonly Broker[]): void {
  const plain = brokers.find((broker) => broker.protocol === 'amqp');
  const secure = brokers.find((broker) => broker.protocol === 'amqps');
  if (plain !== undefined && secure !== undefined) {
    throw new ConfigurationError(mixedSchemes(plain.asUri(), secure.asUri()));
  }
}

function checkDuplicates(brokers: readonly Broker[]): void {
  for (const [index, broker] of brokers.entries()) {
    const earlier = brokers.findIndex((other) => other.equals(broker));
    if (earlier < index) {
      const entry = brokerEntry(index, broker.asUri());
      throw new ConfigurationError(duplicateBroker(entry, brokerEntry(earlier)));
    }
  }
}

/**
 * Parses, completes and checks a list of brokers: URLs separated by `;`, or an array of URLs and objects.
 *
 * Each URL stands for itself, with RabbitMQ's defaults (`guest:guest@localhost:5672/%2F`) for what it leaves out; see
 * `brokerUrl`. Only one that has no scheme, as the second of `amqp://a;guest:guest@b`, takes the scheme and the TLS options
 * (but not the server name) of the first. A first one without a scheme is `amqp`.
 *
 * @throws ConfigurationError naming the entry, the option and what is allowed; it never holds a password
 */
export function parseBrokers(
  urls: string | readonly BrokerInput[],
  options: ParseBrokersOptions = {},
): readonly Broker[] {
  const brokers: Broker[] = [];
  for (const [index, given] of entriesOf(urls).entries()) {
    brokers.push(parseEntry(given, index, brokers[0]));
  }
  if (brokers.length === 0) throw new ConfigurationError(noBrokers());
  if (options.allowMixedSchemes !== true) checkSchemes(brokers);
  checkDuplicates(brokers);
  return Object.freeze(brokers);
}
