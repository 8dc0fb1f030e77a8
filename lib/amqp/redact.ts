/** What stands in the place of a password, as in kombu. */
export const MASK = '**';

const SECRET_QUERY = /([?&](?:password|passphrase|secret|token)=)[^&\s;#"']*/giu;

// To the last '@': a password may hold an '@' that nobody encoded. Too much masked is the better mistake.
function maskUserinfo(part: string): string {
  const at = part.lastIndexOf('@');
  const colon = part.indexOf(':');
  return colon === -1 || colon > at ? part : `${part.slice(0, colon + 1)}${MASK}${part.slice(at)}`;
}

/**
 * Masks the passwords of everything in `text` that looks like a URL or like `user:password@host`, and of query parameters
 * such as `?password=`. Rather too much than too little; it takes time linear in the length of the text.
 */
export function redact(text: string): string {
  return text
    .replace(/\S+/gu, (word) => word.split('://').map(maskUserinfo).join('://'))
    .replace(SECRET_QUERY, `$1${MASK}`);
}

/**
 * A broker URL that may be malformed, fit for an error: scheme, user, host, port and vhost as far as they can be told from
 * a secret. What stands where a port belongs but is no number is masked too: it is a password whose host was forgotten.
 */
export function maskedUrl(url: string): string {
  const scheme = /^[a-z][a-z0-9+.-]{0,20}:\/\//iu.exec(url)?.[0] ?? '';
  const rest = url.slice(scheme.length);
  const at = rest.lastIndexOf('@');
  const user = at === -1 ? '' : `${/^[^:/?#;@\s]*/u.exec(rest)?.[0] ?? ''}:${MASK}@`;
  const address = /^[^?#;\s]*/u.exec(rest.slice(at + 1))?.[0] ?? '';
  const [, host = '', port = '', path = ''] =
    /^(\[[^\]]*\]|[^:/]*)(:[^/]*)?(.*)$/su.exec(address) ?? [];
  return port === '' || /^:\d{1,5}$/u.test(port)
    ? `${scheme}${user}${host}${port}${path}`
    : `${scheme}${user}${host}:${MASK}`;
}
