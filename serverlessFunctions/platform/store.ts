/** The app's key-value store, for all runs in one workspace. */
import { callMetadata } from './metadata-api';

const GET = `query GetAppKeyValue($key: String!, $scope: AppKeyValueScope) {
  appKeyValue(key: $key, scope: $scope) { key value scope }
}`;
const SET = `mutation SetAppKeyValue($input: SetAppKeyValueInput!) {
  setAppKeyValue(input: $input) { key value scope }
}`;
const DELETE = `mutation DeleteAppKeyValue($key: String!, $scope: AppKeyValueScope) {
  deleteAppKeyValue(key: $key, scope: $scope)
}`;

const scope = 'WORKSPACE';

type Kept = { appKeyValue: { value: string | null } | null };

export const store = {
  get: async (key: string): Promise<string | null> => (await callMetadata<Kept>(GET, { key, scope })).appKeyValue?.value ?? null,
  set: (key: string, value: string): Promise<object> => callMetadata(SET, { input: { key, value, scope } }),
  delete: (key: string): Promise<object> => callMetadata(DELETE, { key, scope }),
};
