/** Compiling and instantiating the module and its first call, in a process of its own: prints the CPU that they took. */
const [entry = '../../pkg/rollups/node.js'] = process.argv.slice(2);
const definition = {
  parentObject: 'person',
  childObject: 'gift',
  relationField: 'donorId',
  aggregations: [
    { type: 'SUM', childField: 'amount.amountMicros', currencyField: 'amount.currencyCode', parentField: 'lifetimeGiftAmount' },
  ],
};
const gift = { id: '11111111-1111-4111-8111-111111111111', donorId: '22222222-2222-4222-8222-222222222222' };

const before = process.cpuUsage();
const { computeTotals } = await import(entry);
const { lifetimeGiftAmount } = computeTotals(definition, [{ ...gift, amount: { amountMicros: 25_000_000, currencyCode: 'GBP' } }], { now: new Date(0) });
if (lifetimeGiftAmount?.amountMicros !== 25_000_000) throw new Error('the total is wrong');

const { user, system } = process.cpuUsage(before);
console.log(JSON.stringify({ cpuMs: (user + system) / 1000 }));
