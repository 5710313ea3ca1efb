"""What a sentry does for a mining farm: the gateway between workers and Duino-Coin pools, the master of a
rig of workers, and a pool of our own.

Read in this order:
  duco_wire.py     pure: lines of the pool protocol <-> values
  duco_tiers.py    the ladder of difficulties
  duco_ledger.py   pure: which job waits for its share, and what became of the others
  duco_link.py     one connection with a pool, and which pool is the next to try
  duco_worker.py   one connection for one worker: job -> offer, share -> result, verdict
  duco_pool.py     the gateway: all workers, on the sentry's MQTT connection
  settings.py      its numbers
  i2c_rig.py       the master of a rig on this host: esp_node/mining on a thread and the sentry's MQTT connection
  i2c_bus.py       its bus, an adapter of Linux; i2c_door.py, simulated slaves in that shape; i2c_settings.py
  duco_server.py   `farmhand pool serve`: a pool of our own; duco_rules.py, pure, judges the results;
                   duco_judged.py, the ledger of what was judged
"""
