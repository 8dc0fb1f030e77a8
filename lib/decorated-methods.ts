import type { MetadataScanner } from '@nestjs/core';

/** The methods of a class, inherited ones included, that carry some metadata. Accessors are not touched. */
export const decoratedMethods = (
  scanner: MetadataScanner,
  { prototype }: Function,
  metadataKey: string,
): readonly string[] =>
  typeof prototype === 'object' && prototype !== null
    ? scanner
        .getAllMethodNames(prototype as object)
        .filter((name) =>
          Reflect.hasMetadata(metadataKey, (prototype as Record<string, object>)[name] as object),
        )
    : [];
