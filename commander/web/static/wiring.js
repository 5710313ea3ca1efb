// A page without figures: only the sign of the connection, and the count of alerts.

import { listen } from "./live.js";

listen({}, () => Promise.resolve());
