/** The reply codes that end a channel; every other one ends the connection. */
const soft = {
  311: 'CONTENT_TOO_LARGE',
  403: 'ACCESS_REFUSED',
  404: 'NOT_FOUND',
  405: 'RESOURCE_LOCKED',
  406: 'PRECONDITION_FAILED',
} as const;

const hard = {
  320: 'CONNECTION_FORCED',
  402: 'INVALID_PATH',
  501: 'FRAME_ERROR',
  502: 'SYNTAX_ERROR',
  503: 'COMMAND_INVALID',
  504: 'CHANNEL_ERROR',
  505: 'UNEXPECTED_FRAME',
  506: 'RESOURCE_ERROR',
  530: 'NOT_ALLOWED',
  540: 'NOT_IMPLEMENTED',
  541: 'INTERNAL_ERROR',
} as const;

const names: Readonly<Record<number, string>> = { ...soft, ...hard };

export const INTERNAL_ERROR = 541;

/** What a reply text holds at most. */
const LONGEST_TEXT = 255;
const CUT = '...';

/** A fault of the peer, as it is told with channel.close or connection.close. */
export class AmqpFault extends Error {
  constructor(
    readonly code: number,
    explanation: string,
  ) {
    const name = names[code] ?? 'UNKNOWN';
    super(explanation === '' ? name : `${name} - ${explanation}`);
  }

  /** Whether the connection ends with it, not only the channel. */
  get endsConnection(): boolean {
    return !(this.code in soft);
  }

  get replyText(): string {
    if (Buffer.byteLength(this.message) <= LONGEST_TEXT) return this.message;
    // Cut by bytes, at the end of a character.
    let text = this.message;
    while (Buffer.byteLength(text) > LONGEST_TEXT - CUT.length) text = text.slice(0, -1);
    return `${text}${CUT}`;
  }
}

export const accessRefused = (text: string): AmqpFault => new AmqpFault(403, text);
export const notFound = (text: string): AmqpFault => new AmqpFault(404, text);
export const resourceLocked = (text: string): AmqpFault => new AmqpFault(405, text);
export const preconditionFailed = (text: string): AmqpFault => new AmqpFault(406, text);
export const frameError = (text: string): AmqpFault => new AmqpFault(501, text);
export const commandInvalid = (text: string): AmqpFault => new AmqpFault(503, text);
export const channelError = (text: string): AmqpFault => new AmqpFault(504, text);
export const unexpectedFrame = (text: string): AmqpFault => new AmqpFault(505, text);
export const notAllowed = (text: string): AmqpFault => new AmqpFault(530, text);
/** What RabbitMQ says of an error of its own. */
export const internalError = (): AmqpFault => new AmqpFault(INTERNAL_ERROR, '');
export const notImplemented = (text: string): AmqpFault => new AmqpFault(540, text);

/** As RabbitMQ names a thing in its texts: `queue 'orders' in vhost '/'`. */
export const named = (kind: 'queue' | 'exchange', name: string, vhost: string): string =>
  `${kind} '${name}' in vhost '${vhost}'`;
