# Serves the proxy from workerd: `workerd serve pkg/fundraising/workerd.capnp --socket-addr http=127.0.0.1:3000`.
#
# The settings come from the environment of the process; one that is not set is null, which counts as not set.

using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "proxy", worker = .proxy),
    # Where Twenty and the payment providers are: in private networks or in public.
    (name = "internet", network = (allow = ["private", "local", "public"], tlsOptions = (trustBrowserCas = true))),
  ],
  sockets = [(name = "http", address = "*:3000", http = (), service = "proxy")],
);

const proxy :Workerd.Worker = (
  compatibilityDate = "2026-11-01",
  modules = [
    (name = "workerd.js", esModule = embed "workerd.js"),
    (name = "api.js", esModule = embed "api.js"),
    (name = "generated/fundraising.js", esModule = embed "generated/fundraising.js"),
    (name = "generated/fundraising.wasm", wasm = embed "generated/fundraising.wasm"),
  ],
  bindings = [
    (name = "TWENTY_API_BASE_URL", fromEnvironment = "TWENTY_API_BASE_URL"),
    (name = "TWENTY_API_KEY", fromEnvironment = "TWENTY_API_KEY"),
  ],
);
