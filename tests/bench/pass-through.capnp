# The pass-through on workerd, with the settings from the environment of the process.

using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "pass-through", worker = .passThrough),
    (name = "internet", network = (allow = ["private", "local", "public"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:3000", http = (), service = "pass-through")],
);

const passThrough :Workerd.Worker = (
  compatibilityDate = "2026-11-01",
  modules = [(name = "pass-through.js", esModule = embed "pass-through-workerd.js")],
  bindings = [(name = "TWENTY_API_BASE_URL", fromEnvironment = "TWENTY_API_BASE_URL")],
);
