const ADDRESS = /^https?:\/\/[^\s/@?#\\]+(\/[^\s@?#\\]*)?$/i;
const TOKEN = /^[\x21-\x7e]+$/;

/** A variable without blanks around it; a blank one is not set. */
const filled = (name: string): string | undefined => process.env[name]?.trim() || undefined;

/** The app's own token. */
export const applicationToken = (): string | undefined => filled('TWENTY_APP_APPLICATION_ACCESS_TOKEN');

/** Where the server is and who calls it: what Twenty puts into the environment of every run. */
export const environment = (): { url: string; headers: Record<string, string> } => {
  const url = filled('TWENTY_API_URL');
  // The app's own token comes first: the other one may stand for the person who installed the app.
  const token = applicationToken() ?? filled('TWENTY_API_KEY') ?? filled('TWENTY_APP_ACCESS_TOKEN');
  if (!url) throw new Error('`TWENTY_API_URL` is empty: expected the address of the Twenty server');
  if (!ADDRESS.test(url)) {
    // A name, a password or a token in it is a secret.
    const shown = /[@?#]/.test(url) ? '(not shown)' : JSON.stringify(url);
    throw new Error(`\`TWENTY_API_URL\` is ${shown}, expected an address such as \`https://crm.example.org\``);
  }
  if (!token) throw new Error('`TWENTY_APP_APPLICATION_ACCESS_TOKEN` is empty: expected the token of the app');
  if (!TOKEN.test(token)) throw new Error('the token of the app (it is not shown) has a blank or a line break in it');
  return { url: url.replace(/\/+$/, ''), headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' } };
};
