/**
 * What the engine may use to leave something for the next run, and to start one. Both are only for apps: a function that
 * is run by hand with an API key has neither.
 */
import { enqueue } from './enqueue';
import { applicationToken } from './environment';
import { store } from './store';

export const appServices = (): object => (applicationToken() ? { store, enqueue } : {});
