/** The engine as a library, in a process of its own: prints what it took. The third argument names another build's entry. */
const [url, token, entry = '../../pkg/rollups/node.js'] = process.argv.slice(2);
const { calculateRollups } = await import(entry);
const env = { TWENTY_API_URL: url, TWENTY_API_KEY: token, ROLLUP_ENGINE_REQUESTS_PER_MINUTE: 'off' };
const { status, message, totals, requests } = await calculateRollups({}, { env, log: () => {} });
if (status !== 'ok') throw new Error(`the run ended as ${status}: ${message}`);

const { user, system } = process.cpuUsage();
console.log(
  JSON.stringify({
    requests: requests.tokens,
    updated: totals.updated,
    cpuMs: Math.round((user + system) / 1000),
    rssMb: Math.round(process.resourceUsage().maxRSS / 1024),
  }),
);
