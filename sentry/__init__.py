"""The agent on a host of Linux or Windows: it measures, remembers, obeys what is signed, and goes on alone.

Read in this order:
  agent.py      the line: inputs -> rules -> effects
  rules.py      pure: what to do about a message from the broker
  flight.py     pure: how much of the outbox may be under way, and when to send again
  courier.py    brings the events to the commander
  outbox.py     the events on disk, deleted only when the commander has stored them
  mqtt_edge.py  the one connection to the broker, and the only file that imports paho
  uplink.py     what is said on it, and when to try the next connection
  home.py       the files of one sentry; enrol.py: how it gets its credential
  host_os.py    what systems do each in its own way: host_posix.py, host_windows.py
  settings.py   the numbers
  extras.py     parts that the settings switch on, on the same connection: mining/ has a pool gateway
                and the master of a rig, boards/ drives FPGA boards
  collect/      one file, one kind of measurement
"""
