/**
 * What the engine may use to leave something for the next run, and to start one. Both are only for apps: a function that
 * is run by hand with an API key has neither.
 */
import { enqueue } from './enqueue';
import { store } from './store';

export const lasting = (): object => (process.env.TWENTY_APP_APPLICATION_ACCESS_TOKEN ? { store, enqueue } : {});
