"""What a sentry does for a mining farm: the gateway between workers and Duino-Coin pools, and a pool of our own.

Read in this order:
  duco_wire.py     pure: lines of the pool protocol <-> values
  duco_tiers.py    the ladder of difficulties
  duco_ledger.py   pure: which job waits for its share, and what became of the others
  duco_link.py     one connection with a pool, and which pool is the next to try
  duco_worker.py   one connection for one worker: job -> offer, share -> result, verdict
  duco_pool.py     the gateway: all workers, on the sentry's MQTT connection
  settings.py      its numbers
  duco_server.py   `farmhand pool serve`: a pool of our own; duco_rules.py, pure, judges the results;
                   duco_judged.py, the ledger of what was judged
"""
