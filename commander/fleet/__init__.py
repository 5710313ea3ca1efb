"""fleet: nodes, tokens, presence, telemetry, logs, alerts, desired/reported documents, commands.

Read rules.py first (what each message does) with senders.py and telemetry.py, then enrolment.py, orders.py and
blobs.py (what people ask for), presence.py and marks.py (the two small pieces of arithmetic), tables.py and views.py
(what is kept and how it is read).
"""
