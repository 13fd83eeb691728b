/**
 * Runs the engine with a payload in the function that asks for it, because servers before 2.35 have no queue for apps. So
 * there is no waiting for a slot either, and nothing that could be lost on the way.
 *
 * The rollup function's route would be another way, but not on a server of several workspaces: there a route exists only at
 * the workspace's own host, which a function is not told.
 */
import { calculateRollups } from '../calculaterollups/src/engine';
import { startTimeoutSeconds } from '../sdk-features';
import { isPaused, PAUSED } from './pause';

const RETRYABLE = 'RetryableLogicFunctionError';

/** Errors that may have passed when the platform tries again */
const PASSING = ['unreachable', 'server_error', 'malformed_answer'];

type Report = { status?: string; code?: string; message?: string };

export const startRollupRun = async (_from: string, payload: object, _delayMs = 0): Promise<object> => {
  if (isPaused()) return PAUSED;
  const options = { env: process.env, timeLimitSeconds: startTimeoutSeconds };
  const report: Report = await calculateRollups(payload, options);
  if (report.status === 'error' && PASSING.includes(report.code ?? '')) {
    throw Object.assign(new Error(`the run failed: ${report.message}`), { name: RETRYABLE });
  }
  return report;
};
