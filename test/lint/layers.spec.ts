import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { beforeAll, describe, expect, it } from 'vitest';

import { linted } from './linted.js';
import { allowed, violations } from './planted.js';
import type { Planted } from './planted.js';

const LAYER_RULES = /no-restricted|no-cycle|promises|return-await|no-explicit-any/;

/** Cases share files such as errors.ts, so each stands in a tree of its own: oxlint's globs begin at the configuration. */
const rounds = <T extends Planted>(cases: readonly T[]): T[][] => {
  const result: T[][] = [];
  for (const planted of cases) {
    const free = result.find((round) => round.every(({ file }) => file !== planted.file));
    if (free === undefined) result.push([planted]);
    else free.push(planted);
  }
  return result;
};

async function rulesByCase(cases: readonly Planted[]): Promise<Map<Planted, string[]>> {
  const rules = new Map<Planted, string[]>();
  for (const round of rounds(cases)) {
    const files = new Map(round.map(({ file, code }) => [file, code]));
    files.set('lib/failover/cycle-b.ts', CYCLE);
    const found = await linted(files);
    for (const planted of round) rules.set(planted, found.get(planted.file) ?? []);
  }
  return rules;
}

const CYCLE = `import { a } from './cycle-a.js';\nexport const b = (): number => a();`;

describe('the linter', () => {
  let rules: Map<Planted, string[]>;

  beforeAll(async () => {
    rules = await rulesByCase([...violations, ...allowed]);
  }, 120_000);

  it.each(violations)('refuses that $says', (planted) => {
    expect(rules.get(planted)).toContain(planted.rule);
  });

  it.each(allowed)('allows that $says', (planted) => {
    expect(rules.get(planted)?.filter((rule) => LAYER_RULES.test(rule))).toEqual([]);
  });
});

describe('what the linter cannot see', () => {
  it('does not exist: amqplib is named in no type expression outside of amqp', async () => {
    const lib = fileURLToPath(new URL('../../lib', import.meta.url));
    const files = await readdir(lib, { recursive: true });
    const outside = files.filter((file) => file.endsWith('.ts') && !file.startsWith('amqp/'));
    expect(outside.length).toBeGreaterThan(50);
    const naming = [];
    for (const file of outside) {
      const text = await readFile(join(lib, file), 'utf8');
      if (/['"`]amqplib(?:\/\w+)?['"`]/.test(text)) naming.push(file);
    }
    expect(naming).toEqual([]);
  });
});
