/** Whether a routing key matches the pattern of a topic binding, both split at their dots. */
export function matchesWords(pattern: readonly string[], key: readonly string[]): boolean {
  // Where the last '#' stands, and how many words of the key it has taken: a later '#' makes an earlier one's choice final.
  let word = 0;
  let at = 0;
  let hash = -1;
  let taken = 0;
  while (at < key.length) {
    if (pattern[word] === '#') {
      hash = word;
      taken = at;
      word += 1;
    } else if (word < pattern.length && (pattern[word] === '*' || pattern[word] === key[at])) {
      word += 1;
      at += 1;
    } else if (hash !== -1) {
      taken += 1;
      at = taken;
      word = hash + 1;
    } else return false;
  }
  while (pattern[word] === '#') word += 1;
  return word === pattern.length;
}

/** An empty key has no words. */
export const wordsOf = (key: string): string[] => (key === '' ? [] : key.split('.'));
