import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const read = (path: string): string =>
  readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

/** The examples of a test, each between its two comments and as far to the left as it goes. */
function examplesOf(path: string): string[] {
  const found = read(path).matchAll(/\/\/ <example[ 0-9]*>\n(.*?) *\/\/ <\/example>/gsu);
  return [...found].map(([, code = 'none']) => {
    const indent = /^ */u.exec(code)?.[0] ?? '';
    return code.replaceAll(new RegExp(`^${indent}`, 'gmu'), '');
  });
}

test.each([
  { doc: 'docs/testing.md', spec: 'test/scenarios/failover-in-ten-lines.spec.ts', count: 1 },
  { doc: 'docs/kombu.md', spec: 'test/rabbitmq/guide-examples.spec.ts', count: 10 },
])('$doc shows the examples that are run', ({ doc, spec, count }) => {
  const examples = examplesOf(spec);
  expect(examples).toHaveLength(count);
  const shown = read(doc);
  for (const example of examples) expect(shown).toContain(`\`\`\`ts\n${example}\`\`\``);
});
