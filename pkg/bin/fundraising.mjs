#!/usr/bin/env node
// `twenty-fundraising`: the proxy from the command line. Its source is fundraising/src/cli/main.ts.

import '../fundraising/cli/main.js';
