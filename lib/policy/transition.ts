/** For each status, those that may follow it. */
export type LegalMoves<S extends string> = Readonly<Record<S, readonly S[]>>;

/**
 * The one way in which a state changes.
 *
 * @returns `to`
 * @throws Error naming from, to and what is allowed, when the table does not know the move: a bug of ours, never of the caller's
 */
export function transition<T extends { readonly status: string }>(
  moves: LegalMoves<T['status']>,
  from: T,
  to: T,
): T {
  const allowed = moves[from.status as T['status']];
  if (!allowed.includes(to.status)) {
    throw new Error(
      `Illegal move from "${from.status}" to "${to.status}"; allowed: ${allowed.join(', ') || 'none'}`,
    );
  }
  return to;
}
