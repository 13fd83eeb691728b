/** Apart from the function itself, so that the post-install hook can name it without carrying its wasm. */
export const CALCULATE_ROLLUPS = 'c858703a-7def-448f-8ed1-1020332e4cd0';

/** Where the function answers on request, below the server's `/s`. */
export const RECALCULATE_ROUTE = '/recalculate-all';
