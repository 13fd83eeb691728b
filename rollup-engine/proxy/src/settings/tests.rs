use super::*;

fn read(pairs: &[(&str, &str)]) -> Result<Settings, SettingErrors> {
    Settings::read(|name| {
        assert!(NAMES.contains(&name), "{name} is not in the list");
        pairs.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).to_owned())
    })
}

fn good(pairs: &[(&str, &str)]) -> Settings {
    read(pairs).unwrap()
}

/// What can be compared of them
fn texts(settings: &Settings) -> String {
    format!(
        "{:?}",
        (
            [&settings.base_url, &settings.gocardless_url],
            [&settings.api_key, &settings.stripe_secret, &settings.gocardless_secret, &settings.gocardless_token],
            [settings.staging, settings.auto_process, settings.gift_aid],
            (&settings.bypass_sources, &settings.receipts, &settings.metrics_token, &settings.model),
            (settings.requests_per_minute, settings.unproven_requests_per_minute, settings.cache_seconds),
            (settings.max_connections, settings.max_requests, settings.max_body_bytes, settings.max_response_bytes),
        )
    )
}

const NO_URLS: &[&str] = &[
    "crm.example.org",
    "localhost:3000",
    "ftp://crm.example.org",
    "http://",
    "https:/crm.example.org",
    "http://me:hush-hush@crm.example.org/rest",
    "http://crm.example.org/rest?token=hush-hush",
    "http://crm.example.org/rest#x",
    "http://crm.example.org:0",
    "http://crm.example.org:70000/rest",
    "http://crm example.org",
    "http://crm.example.org\n/rest",
    "undefined",
];
const NO_FLAGS: &[&str] = &["ja", "maybe", "2", "-1", "tru", "yes please", "null", "undefined", "y", "1.0", "enabled"];
const NO_SECRETS: &[&str] = &[
    "hush hush",
    "hush\nhush",
    "hush\thush",
    "hush\0hush",
    "\"hush-hush\"",
    "'hush-hush'",
    "hush\u{200b}",
    "h\u{fc}sh",
    "Bearer hush",
];
const NO_COUNTS: &[&str] = &[
    "0",
    "-1",
    "+1",
    "1.5",
    "1e3",
    "ten",
    "10 ",
    "1,000",
    "0x10",
    "10/min",
    "NaN",
    "4294967296",
    "99999999999999999999999",
];
const NO_BYTES: &[&str] =
    &["0", "-1", "1048575", "32MiB", "32 MiB", "1e9", "1073741825", "99999999999999999999999", "off"];
const NO_POLICIES: &[&str] = &["per-gift", "none", "per_gift,hybrid", "0", "true", "annual"];

const NO_TWENTY: &[&str] = &[
    "https://crm.example.org/settings/api-webhooks",
    "https://crm.example.org/graphql",
    "https://crm.example.org/rest/metadata",
    "https://crm.example.org/arrest/",
    "crm.example.org/rest",
    "ws://crm.example.org",
    "https://crm.example.org/rest?limit=1",
    "https://me:hush-hush@crm.example.org/rest",
];

/// Of every setting, values that cannot be read
const BAD: &[(&str, &[&str])] = &[
    ("TWENTY_API_BASE_URL", NO_URLS),
    ("TWENTY_REST_BASE_URL", NO_URLS),
    ("TWENTY_API_URL", NO_URLS),
    ("TWENTY_API_URL", NO_TWENTY),
    ("TWENTY_API_BASE_URL", NO_TWENTY),
    ("TWENTY_APP_APPLICATION_ACCESS_TOKEN", NO_SECRETS),
    ("TWENTY_API_KEY", NO_SECRETS),
    ("TWENTY_APP_ACCESS_TOKEN", NO_SECRETS),
    ("STRIPE_WEBHOOK_SECRET", NO_SECRETS),
    ("STRIPE_API_KEY", NO_SECRETS),
    ("GOCARDLESS_WEBHOOK_SECRET", NO_SECRETS),
    ("GOCARDLESS_ACCESS_TOKEN", NO_SECRETS),
    ("GOCARDLESS_API_URL", NO_URLS),
    ("FUNDRAISING_ENABLE_GIFT_STAGING", NO_FLAGS),
    ("FUNDRAISING_STAGING_AUTO_PROCESS_DEFAULT", NO_FLAGS),
    (
        "FUNDRAISING_STAGING_BYPASS_SOURCES",
        &[
            "csv:lots",
            "csv:",
            "csv:-5",
            "csv:0",
            "csv:1.5",
            "csv:5 GBP",
            "csv:9223372036855",
            ":5",
            "csv;manual_ui",
            "csv:5:6",
            "csv,CSV",
            "csv,csv:5",
            "manual_ui,csv:lots",
            "csv=5",
            "csv 5",
        ],
    ),
    ("FUNDRAISING_GIFT_AID", NO_FLAGS),
    ("FUNDRAISING_ACCEPT_TEST_EVENTS", NO_FLAGS),
    ("FUNDRAISING_TIME_ZONE", &["+01:00", "Europe/Lond on", "12", "Ünited/Kingdom", "Europe//London", "/London"]),
    ("FUNDRAISING_RECEIPT_POLICY_ONE_OFF", NO_POLICIES),
    ("FUNDRAISING_RECEIPT_POLICY_RECURRING", NO_POLICIES),
    (
        "FUNDRAISING_RECEIPT_AUTO_SEND_THRESHOLD_MINOR",
        &["-1", "1.5", "many", "1e6", "10.000", "9223372036854775808", "none", "off"],
    ),
    ("FUNDRAISING_REQUESTS_PER_MINUTE", NO_COUNTS),
    ("FUNDRAISING_UNPROVEN_REQUESTS_PER_MINUTE", NO_COUNTS),
    ("FUNDRAISING_CACHE_SECONDS", &["-1", "1.5", "3s", "off", "86401", "99999999999999999999999"]),
    ("FUNDRAISING_LOG_LEVEL", &["loud", "1", "trace", "off", "debug,info"]),
    ("FUNDRAISING_MAX_CONNECTIONS", NO_COUNTS),
    ("FUNDRAISING_MAX_REQUESTS", NO_COUNTS),
    ("FUNDRAISING_MAX_BODY_BYTES", NO_BYTES),
    ("FUNDRAISING_MAX_RESPONSE_BYTES", NO_BYTES),
    ("FUNDRAISING_METRICS_TOKEN", NO_SECRETS),
    (
        "FUNDRAISING_MODEL",
        &[
            "{",
            "[]",
            "null",
            "5",
            "gift",
            r#"{"gfit":null}"#,
            r#"{"gift":{"name":"../people"}}"#,
            r#"{"gift":{"fields":{"notes":"id"}}}"#,
        ],
    ),
];

/// Every setting is in the table, and every bad value of it is refused with name, value and what was expected.
#[test]
fn unreadable_values_refused() {
    for name in NAMES {
        assert!(BAD.iter().any(|(other, values)| other == name && values.len() > 3), "no bad values of {name}");
    }
    for (name, values) in BAD {
        for value in *values {
            if *value == "10 " {
                // Blanks around a value are no part of it.
                assert!(read(&[(name, value)]).is_ok(), "{name}");
                continue;
            }
            let errors = read(&[(name, value)]).expect_err(&format!("{name}={value:?}"));
            let message = errors.to_string();
            assert_eq!((errors.iter().count(), errors.names().as_str()), (1, *name), "{message}");
            assert!(message.starts_with(&format!("`{name}` ")) && message.contains(", expected "), "{message}");
            assert!(!message.contains("hush") && !message.contains('\n'), "{message}");
            let is_shown = !SECRETS.contains(name) && !value.contains(['@', '?', '\n', '#']);
            assert!(!is_shown || message.contains(&format!("is `{value}`, expected")), "{message}");
        }
    }
}

#[test]
fn blank_values_not_set() {
    let expected = texts(&good(&[]));
    for blank in ["", " ", "\t\n"] {
        let pairs: Vec<(&str, &str)> = NAMES.iter().map(|name| (*name, blank)).collect();
        assert_eq!(texts(&good(&pairs)), expected);
    }
}

#[test]
fn all_unreadable_values_at_once() {
    let errors =
        read(&[("FUNDRAISING_GIFT_AID", "ja"), ("TWENTY_API_KEY", "a b"), ("FUNDRAISING_CACHE_SECONDS", "-1")]);
    let errors = errors.unwrap_err();
    assert_eq!(errors.names(), "TWENTY_API_KEY, FUNDRAISING_GIFT_AID, FUNDRAISING_CACHE_SECONDS");
    assert_eq!(errors.to_string().lines().count(), 3);
}

#[test]
fn defaults_of_an_empty_environment() {
    let settings = good(&[]);
    assert_eq!(
        (settings.base_url.as_str(), settings.gocardless_url.as_str()),
        (DEFAULT_BASE_URL, DEFAULT_GOCARDLESS_URL)
    );
    assert_eq!((settings.staging, settings.auto_process, settings.api_key.is_none()), (false, false, true));
    assert_eq!((settings.requests_per_minute, settings.cache_seconds), (Some(80), 3));
    assert_eq!(
        (settings.unproven_requests_per_minute, settings.max_connections, settings.max_requests),
        (10, 2_048, 1_024)
    );
    assert_eq!((settings.max_body_bytes, settings.max_response_bytes), (33_554_432, 33_554_432));
    assert_eq!(settings.receipts, receipt::Settings::default());
}

#[test]
fn values_read_without_regard_to_case() {
    let settings = good(&[
        ("TWENTY_REST_BASE_URL", "https://crm.example.org/rest/"),
        ("FUNDRAISING_ENABLE_GIFT_STAGING", " Yes "),
        ("FUNDRAISING_STAGING_AUTO_PROCESS_DEFAULT", "OFF"),
        ("FUNDRAISING_REQUESTS_PER_MINUTE", "OFF"),
        ("FUNDRAISING_CACHE_SECONDS", "5"),
        ("FUNDRAISING_RECEIPT_POLICY_ONE_OFF", " Annual_Summary "),
        ("FUNDRAISING_RECEIPT_AUTO_SEND_THRESHOLD_MINOR", "100000"),
        ("FUNDRAISING_STAGING_BYPASS_SOURCES", "Manual_UI, stripe_webhook: 500 ,,"),
        ("FUNDRAISING_METRICS_TOKEN", "m"),
    ]);
    assert_eq!(settings.base_url, "https://crm.example.org/rest");
    assert_eq!((settings.staging, settings.auto_process), (true, false));
    assert_eq!((settings.requests_per_minute, settings.cache_seconds), (None, 5));
    let bypass = |source: &str, at_most| Bypass { source: source.into(), at_most };
    assert_eq!(settings.bypass_sources, [bypass("manual_ui", None), bypass("stripe_webhook", Some(500_000_000))]);
    assert_eq!(
        (settings.receipts.one_off.as_str(), settings.receipts.threshold_minor),
        ("annual_summary", Some(100_000))
    );
    assert_eq!(settings.metrics_token.as_deref(), Some("m"));
}

/// The server's address and that of its API are the same to it, under each of the names; the first of them counts.
#[test]
fn addresses_with_and_without_rest() {
    for name in ["TWENTY_API_BASE_URL", "TWENTY_REST_BASE_URL", "TWENTY_API_URL"] {
        for (text, expected) in [
            ("https://crm.example.org", "https://crm.example.org/rest"),
            ("https://crm.example.org/", "https://crm.example.org/rest"),
            ("https://crm.example.org/rest", "https://crm.example.org/rest"),
            (" https://CRM.example.org/rest/ ", "https://crm.example.org/rest"),
            ("http://127.0.0.1:3000", "http://127.0.0.1:3000/rest"),
            ("http://[::1]:3000/", "http://[::1]:3000/rest"),
            ("https://gateway.example.org/crm/rest", "https://gateway.example.org/crm/rest"),
            ("http://rest", "http://rest/rest"),
        ] {
            assert_eq!(good(&[(name, text)]).base_url, expected, "{name}={text}");
        }
    }
    let [first, second, third] = [
        ("TWENTY_API_BASE_URL", "http://a/rest"),
        ("TWENTY_REST_BASE_URL", "http://b"),
        ("TWENTY_API_URL", "http://c"),
    ];
    assert_eq!(good(&[third, second, first]).base_url, "http://a/rest");
    assert_eq!(good(&[third, second]).base_url, "http://b/rest");
    assert_eq!(good(&[third]).base_url, "http://c/rest");
}

/// The names and their order are those of the command `twenty-rollups`.
#[test]
fn tokens_by_their_names() {
    let names = ["TWENTY_APP_APPLICATION_ACCESS_TOKEN", "TWENTY_API_KEY", "TWENTY_APP_ACCESS_TOKEN"];
    for at in 0..names.len() {
        let pairs: Vec<(&str, &str)> = names.iter().skip(at).map(|name| (*name, *name)).collect();
        assert_eq!(good(&pairs).api_key.as_deref(), names.get(at).copied());
    }
}

/// A key that was put into the place of another setting is not printed either.
#[test]
fn secrets_never_shown() {
    let settings = good(&[("TWENTY_API_KEY", "key-1"), ("STRIPE_WEBHOOK_SECRET", "whsec-1")]);
    let shown = format!("{settings:?}");
    assert!(!shown.contains("key-1") && !shown.contains("whsec-1"), "{shown}");
    for value in ["hush-hush", "eyJhbGciOiJIUzI1NiJ9.hush.hush", "sk_live_hush_hush_hush", "live_hush_hush_hush"] {
        let errors = read(&[("TWENTY_API_KEY", "hush-hush"), ("TWENTY_API_BASE_URL", value)]).unwrap_err();
        assert!(!errors.to_string().contains("hush"), "{errors}");
    }
    let errors = read(&[("TWENTY_API_KEY", "hush-hush"), ("FUNDRAISING_MODEL", r#"{"hush-hush":null}"#)]).unwrap_err();
    assert!(!errors.to_string().contains("hush"), "{errors}");
}

#[test]
fn unknown_names_with_the_nearest() {
    let mut names: Vec<&str> = NAMES.iter().chain(&ENGINE_NAMES).copied().collect();
    names.extend(["PATH", "TWENTY_API_URL", "STRIPE_PUBLISHABLE_KEY"]);
    assert_eq!(unknown_names(names).count(), 0);
    let unknown: Vec<_> = unknown_names([
        "FUNDRAISING_ENABLE_GIFT_STAGGING",
        "fundraising_gift_aid",
        "FUNDRAISING_STAGING",
        "ROLLUP_ENGINE_REQUEST_PER_MINUTE",
        "FUNDRAISING_XYZ",
    ])
    .collect();
    assert_eq!(
        unknown,
        [
            ("FUNDRAISING_ENABLE_GIFT_STAGGING", Some("FUNDRAISING_ENABLE_GIFT_STAGING")),
            ("fundraising_gift_aid", Some("FUNDRAISING_GIFT_AID")),
            ("FUNDRAISING_STAGING", Some("FUNDRAISING_ENABLE_GIFT_STAGING")),
            ("ROLLUP_ENGINE_REQUEST_PER_MINUTE", Some("ROLLUP_ENGINE_REQUESTS_PER_MINUTE")),
            ("FUNDRAISING_XYZ", Some("FUNDRAISING_MODEL")),
        ]
    );
}

#[test]
fn unknown_time_zone() {
    struct Zones;
    impl TimeZones for Zones {
        fn utc_offset(&self, zone: &str, _: Timestamp) -> Option<i32> {
            (zone == "Europe/London").then_some(0)
        }
    }
    let check = |zone| good(&[("FUNDRAISING_TIME_ZONE", zone)]).check_time_zone(&Zones, Timestamp::from_millis(0));
    assert_eq!((check("Europe/London"), check("UTC")), (Ok(()), Ok(())));
    let error = check("Europe/Londn").unwrap_err().to_string();
    assert!(error.contains("`FUNDRAISING_TIME_ZONE` is `Europe/Londn`, expected an IANA time zone"), "{error}");
}
