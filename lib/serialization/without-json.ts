/** A value for which there is no JSON. */
export interface WithoutJson {
  /** As in `lines[2].price`; empty for the body itself. */
  readonly path: string;
  readonly what: string;
}

// What throws deeper than this is told without its name.
const DEEPEST = 64;

// JSON.stringify makes {} of them.
const emptied = [Map, Set, WeakMap, WeakSet, Promise];

/**
 * Looks for what `JSON.stringify` has thrown over, a bigint or an object inside itself, and for what it has lost: the content
 * of a Map or a Set, a promise. For the message of an error, so it never throws itself, whatever getters and `toJSON` do.
 */
export function findWithoutJson(body: unknown): WithoutJson | undefined {
  try {
    return search(body, '', []);
  } catch {
    return undefined;
  }
}

function search(value: unknown, path: string, around: readonly object[]): WithoutJson | undefined {
  if (typeof value === 'bigint') return { path, what: 'a bigint' };
  if (typeof value !== 'object' || value === null) return undefined;
  if (around.includes(value)) return { path, what: 'circular: it contains itself' };
  if (around.length >= DEEPEST || 'toJSON' in value) return undefined;
  const what = emptied.find((kind) => value instanceof kind)?.name;
  if (what !== undefined) return { path, what };
  for (const [key, inner] of Object.entries(value)) {
    const place = Array.isArray(value) ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`;
    const found = search(inner, place, [...around, value]);
    if (found !== undefined) return found;
  }
  return undefined;
}
