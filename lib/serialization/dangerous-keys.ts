/**
 * Keys by which a received object could reach into the prototypes of ours: `Object.assign` with an own `__proto__` sets the
 * prototype, and a naive deep merge writes into `Object.prototype` itself. They are dropped from headers and JSON.
 */
const dangerous: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

export const isDangerousKey = (key: string): boolean => dangerous.has(key);
