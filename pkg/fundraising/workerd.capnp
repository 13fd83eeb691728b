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
  sockets = [(name = "http", address = "127.0.0.1:3000", http = (), service = "proxy")],
);

const proxy :Workerd.Worker = (
  compatibilityDate = "2026-11-01",
  modules = [
    (name = "workerd.js", esModule = embed "workerd.js"),
    (name = "api.js", esModule = embed "api.js"),
    (name = "process-staged.js", esModule = embed "process-staged.js"),
    (name = "twenty.js", esModule = embed "twenty.js"),
    (name = "admission.js", esModule = embed "admission.js"),
    (name = "generated/fundraising.js", esModule = embed "generated/fundraising.js"),
    (name = "generated/fundraising.wasm", wasm = embed "generated/fundraising.wasm"),
  ],
  bindings = [
    (name = "TWENTY_API_BASE_URL", fromEnvironment = "TWENTY_API_BASE_URL"),
    (name = "TWENTY_REST_BASE_URL", fromEnvironment = "TWENTY_REST_BASE_URL"),
    (name = "TWENTY_API_URL", fromEnvironment = "TWENTY_API_URL"),
    (name = "TWENTY_APP_APPLICATION_ACCESS_TOKEN", fromEnvironment = "TWENTY_APP_APPLICATION_ACCESS_TOKEN"),
    (name = "TWENTY_API_KEY", fromEnvironment = "TWENTY_API_KEY"),
    (name = "TWENTY_APP_ACCESS_TOKEN", fromEnvironment = "TWENTY_APP_ACCESS_TOKEN"),
    (name = "STRIPE_WEBHOOK_SECRET", fromEnvironment = "STRIPE_WEBHOOK_SECRET"),
    (name = "STRIPE_API_KEY", fromEnvironment = "STRIPE_API_KEY"),
    (name = "GOCARDLESS_WEBHOOK_SECRET", fromEnvironment = "GOCARDLESS_WEBHOOK_SECRET"),
    (name = "GOCARDLESS_ACCESS_TOKEN", fromEnvironment = "GOCARDLESS_ACCESS_TOKEN"),
    (name = "GOCARDLESS_API_URL", fromEnvironment = "GOCARDLESS_API_URL"),
    (name = "FUNDRAISING_ENABLE_GIFT_STAGING", fromEnvironment = "FUNDRAISING_ENABLE_GIFT_STAGING"),
    (name = "FUNDRAISING_STAGING_AUTO_PROCESS_DEFAULT", fromEnvironment = "FUNDRAISING_STAGING_AUTO_PROCESS_DEFAULT"),
    (name = "FUNDRAISING_STAGING_BYPASS_SOURCES", fromEnvironment = "FUNDRAISING_STAGING_BYPASS_SOURCES"),
    (name = "FUNDRAISING_GIFT_AID", fromEnvironment = "FUNDRAISING_GIFT_AID"),
    (name = "FUNDRAISING_ACCEPT_TEST_EVENTS", fromEnvironment = "FUNDRAISING_ACCEPT_TEST_EVENTS"),
    (name = "FUNDRAISING_TIME_ZONE", fromEnvironment = "FUNDRAISING_TIME_ZONE"),
    (name = "FUNDRAISING_RECEIPT_POLICY_ONE_OFF", fromEnvironment = "FUNDRAISING_RECEIPT_POLICY_ONE_OFF"),
    (name = "FUNDRAISING_RECEIPT_POLICY_RECURRING", fromEnvironment = "FUNDRAISING_RECEIPT_POLICY_RECURRING"),
    (name = "FUNDRAISING_RECEIPT_AUTO_SEND_THRESHOLD_MINOR", fromEnvironment = "FUNDRAISING_RECEIPT_AUTO_SEND_THRESHOLD_MINOR"),
    (name = "FUNDRAISING_REQUESTS_PER_MINUTE", fromEnvironment = "FUNDRAISING_REQUESTS_PER_MINUTE"),
    (name = "FUNDRAISING_UNPROVEN_REQUESTS_PER_MINUTE", fromEnvironment = "FUNDRAISING_UNPROVEN_REQUESTS_PER_MINUTE"),
    (name = "FUNDRAISING_CACHE_SECONDS", fromEnvironment = "FUNDRAISING_CACHE_SECONDS"),
    (name = "FUNDRAISING_LOG_LEVEL", fromEnvironment = "FUNDRAISING_LOG_LEVEL"),
    (name = "FUNDRAISING_MAX_CONNECTIONS", fromEnvironment = "FUNDRAISING_MAX_CONNECTIONS"),
    (name = "FUNDRAISING_MAX_REQUESTS", fromEnvironment = "FUNDRAISING_MAX_REQUESTS"),
    (name = "FUNDRAISING_MAX_BODY_BYTES", fromEnvironment = "FUNDRAISING_MAX_BODY_BYTES"),
    (name = "FUNDRAISING_MAX_RESPONSE_BYTES", fromEnvironment = "FUNDRAISING_MAX_RESPONSE_BYTES"),
    (name = "FUNDRAISING_METRICS_TOKEN", fromEnvironment = "FUNDRAISING_METRICS_TOKEN"),
    (name = "FUNDRAISING_MODEL", fromEnvironment = "FUNDRAISING_MODEL"),
  ],
);
