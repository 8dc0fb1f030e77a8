import { quoted, reasonOf } from './phrases.js';

export const cannotEncode = (format: string, cause: unknown): string =>
  `The body cannot be written as ${format}: ${reasonOf(cause)}. Convert it first, or choose another serializer.`;

export const cannotDecode = (format: string, cause: unknown): string =>
  // The reason of a JSON parser quotes the body, which no log may show.
  `The body is not ${format}, as its content type says${cause instanceof TypeError ? ': it is not UTF-8' : ''}.`;

export const unknownSerializer = (name: string, known: readonly string[]): string =>
  `There is no serializer ${quoted(name)}. Known: ${known.join(', ')}.`;

export const contentTypeRefused = (
  contentType: string | undefined,
  accept: readonly string[],
): string =>
  `A body of content type ${quoted(contentType ?? 'none')} is not accepted. Accepted: ${accept.join(', ')}; see option "accept".`;

export const headerRefused = (path: string, value: unknown): string =>
  `Header ${quoted(path)} cannot be sent: AMQP has no type for ${kindOf(value)}, or it is nested too deeply. Convert it to a string, number, boolean, Buffer, list or plain object.`;

export const headerKeyTooLong = (path: string, max: number): string =>
  `Header ${quoted(path)} cannot be sent: a key has at most ${max} bytes.`;

export const headersTooLarge = (size: number, max: number, largest: string): string =>
  `The headers take ${size} bytes, and may take ${max}; the largest is ${quoted(largest)}. Send it in the body.`;

function kindOf(value: unknown): string {
  if (typeof value === 'object' && value !== null) {
    return `an object of class ${value.constructor?.name ?? 'none'}`;
  }
  return typeof value === 'number' ? String(value) : `a ${typeof value}`;
}

export const noJsonFor = (path: string, what: string): string =>
  path === '' ? `there is no JSON for ${what}` : `${quoted(path)} is ${what}`;
