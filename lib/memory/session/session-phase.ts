/** How far a connection has come. `closing`: we have said connection.close and wait for the answer. */
export type SessionPhase =
  'header' | 'starting' | 'tuning' | 'opening' | 'open' | 'closing' | 'closed';
