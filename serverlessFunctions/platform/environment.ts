/** Where the server is and who calls it: what Twenty puts into the environment of every run. */
export const environment = (): { url: string; headers: Record<string, string> } => {
  const { TWENTY_API_URL: url, TWENTY_APP_APPLICATION_ACCESS_TOKEN, TWENTY_API_KEY, TWENTY_APP_ACCESS_TOKEN } = process.env;
  // The app's own token comes first: the other one may stand for the person who installed the app.
  const token = TWENTY_APP_APPLICATION_ACCESS_TOKEN || TWENTY_API_KEY || TWENTY_APP_ACCESS_TOKEN;
  if (!url) throw new Error('`TWENTY_API_URL` is empty: expected the address of the Twenty server');
  if (!token) throw new Error('`TWENTY_APP_APPLICATION_ACCESS_TOKEN` is empty: expected the token of the app');
  return { url, headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' } };
};
