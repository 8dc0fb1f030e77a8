/** What AMQP reply codes say about an entity. */
const NOT_FOUND = 404;
const PRECONDITION_FAILED = 406;

/** The exchange, queue or node that holds it is not there. */
export const isNotFound = (code: number | undefined): boolean => code === NOT_FOUND;

/** It is there, but not as declared; time will not mend that. */
export const isMismatch = (code: number | undefined): boolean => code === PRECONDITION_FAILED;
