export function median(values) {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** By nearest rank: the least of the values that a share `q` of them does not exceed. */
export const quantile = (values, q) =>
  values.toSorted((one, other) => one - other)[Math.max(0, Math.ceil(values.length * q) - 1)];

/** The median, and from where to where. */
export const spread = (values) => ({
  median: median(values),
  min: Math.min(...values),
  max: Math.max(...values),
});
