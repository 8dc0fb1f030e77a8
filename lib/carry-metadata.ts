/** Makes one function pass for another: name, length, and what decorators have noted on it so far. */
export function carryMetadata(from: object, to: object): void {
  for (const key of ['name', 'length'] as const) {
    const property = Object.getOwnPropertyDescriptor(from, key);
    if (property !== undefined) Object.defineProperty(to, key, property);
  }
  for (const key of Reflect.getOwnMetadataKeys(from) as unknown[]) {
    Reflect.defineMetadata(key, Reflect.getOwnMetadata(key, from), to);
  }
}
