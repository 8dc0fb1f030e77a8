import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const read = (path: string): string =>
  readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

test('docs/testing.md shows the example that is run', () => {
  const [, example = 'none'] =
    /\/\/ <example>\n(.*)\/\/ <\/example>/su.exec(
      read('test/scenarios/failover-in-ten-lines.spec.ts'),
    ) ?? [];
  expect(read('docs/testing.md')).toContain(`\`\`\`ts\n${example}\`\`\``);
});
