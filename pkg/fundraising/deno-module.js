// The module, compiled. JavaScript, and not compiled from src/: TypeScript does not know `import source`.

import source module from './generated/fundraising.wasm';

export default module;
