/**
 * Topic patterns as a topic exchange has them: words between dots, `*` for exactly one word, `#` for any number of them.
 *
 * | pattern | matches | does not match |
 * |---|---|---|
 * | `order.*` | `order.created` | `order`, `order.created.eu` |
 * | `order.#` | `order`, `order.created.eu` | `orders` |
 * | `#.eu` | `eu`, `order.created.eu` | `eu.order` |
 */
export type TopicPattern = readonly string[];

export const topicPattern = (text: string): TopicPattern => text.split('.');

/** The time is the product of the lengths at most, whatever the key: no pattern can be made to run away. */
export function matchesTopic(pattern: TopicPattern, key: string): boolean {
  const words = key.split('.');
  let at = 0;
  let word = 0;
  /** The last `#`, and the first word that it does not stand for yet. */
  let many = -1;
  let taken = 0;
  while (word < words.length) {
    if (pattern[at] === '#') {
      many = at;
      taken = word;
      at += 1;
    } else if (at < pattern.length && (pattern[at] === '*' || pattern[at] === words[word])) {
      at += 1;
      word += 1;
    } else if (many >= 0) {
      taken += 1;
      at = many + 1;
      word = taken;
    } else return false;
  }
  while (pattern[at] === '#') at += 1;
  return at === pattern.length;
}

/** Whether some routing key matches both. */
export function topicsOverlap(a: TopicPattern, b: TopicPattern): boolean {
  const known = new Map<number, boolean>();
  const overlap = (i: number, j: number): boolean => {
    const place = i * (b.length + 1) + j;
    const before = known.get(place);
    if (before !== undefined) return before;
    const answer = step(i, j);
    known.set(place, answer);
    return answer;
  };
  const step = (i: number, j: number): boolean => {
    if (i === a.length && j === b.length) return true;
    if (a[i] === '#') return overlap(i + 1, j) || (j < b.length && overlap(i, j + 1));
    if (b[j] === '#') return overlap(i, j + 1) || (i < a.length && overlap(i + 1, j));
    if (i === a.length || j === b.length) return false;
    return (a[i] === '*' || b[j] === '*' || a[i] === b[j]) && overlap(i + 1, j + 1);
  };
  return overlap(0, 0);
}
