// The module, compiled. JavaScript, and not compiled from src/: TypeScript does not know `import source`.

import source module from './generated/rollups.wasm';

export default module;
