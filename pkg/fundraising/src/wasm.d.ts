// workerd imports a module compiled.
declare module '*.wasm' {
  const module: WebAssembly.Module;
  export default module;
}
