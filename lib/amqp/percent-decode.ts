import { ConfigurationError } from '../errors.js';
import { badPercentEncoding } from './broker.messages.js';

/** Decodes UTF-8. Neither its error nor a cause of it holds the text, which may be a password. */
export function percentDecode(text: string, entry: string, part: string): string {
  let decoded: string | undefined;
  try {
    decoded = decodeURIComponent(text);
  } catch {
    decoded = undefined;
  }
  if (decoded === undefined) throw new ConfigurationError(badPercentEncoding(entry, part));
  return decoded;
}
