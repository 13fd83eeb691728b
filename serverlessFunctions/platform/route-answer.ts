/**
 * The HTTP status of an answer of the route, so that a script need not read the report. Twenty passes on a status only with
 * what `Response` of `twenty-sdk/logic-function` gives, which is this object; anything else is a 200.
 */

type Report = { status?: string; code?: string | null; continued?: boolean };

const STATUS: Record<string, number> = {
  unknown_payload: 400,
  // The rest is done by a run that follows.
  batch_done: 202,
  another_run: 202,
  // Worth another try
  out_of_time: 503,
  incomplete_reading: 503,
  unhealthy: 503,
  // The workspace or the way to it
  unreachable: 502,
  unauthorized: 502,
  forbidden: 502,
  not_found: 502,
  refused: 502,
  server_error: 502,
  malformed_answer: 502,
  answer_too_large: 502,
};

/** The settings, the definitions, or the engine itself */
const OTHER_ERROR = 500;
/** Parents that Twenty did not take */
const OTHER_PARTIAL = 502;

export const statusOf = ({ status, code, continued }: Report): number => {
  if (status === 'partial' && continued) return 202;
  const known = STATUS[code ?? ''];
  if (status === 'error') return known ?? OTHER_ERROR;
  if (status === 'partial') return known ?? (code ? OTHER_ERROR : OTHER_PARTIAL);
  return known ?? 200;
};

/** The report as it is, or, where it answers a request, with the status that stands for it. */
export const routeAnswer = (payload: unknown, report: object): object => {
  const isRequest = typeof payload === 'object' && payload !== null && 'requestContext' in payload;
  const status = isRequest ? statusOf(report) : 200;
  return status === 200 ? report : { __twentyHttpResponse: true, status, headers: { 'content-type': 'application/json' }, body: report };
};
