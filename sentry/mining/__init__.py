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

Miners of a host (document `playbooks`), in this order:
  playbooks.py     the sentry's part; loads the rest when the first document comes
  miner_host.py    documents, commands, reports, in one asyncio loop
  rollout.py       from one revision to the next, and back
  supervise.py     one miner: running, resting or stopped; miner_looks.py asks it, miner_control.py pauses it
  processes.py     its process: process.py on Linux, process_portable.py elsewhere
  miner_log.py     its output; miner_places.py: its files, run_script.py one of them
  install.py       its software; fetch.py, archive.py
  miner_plan.py    pure: the document -> what this host shall run; host_catalog.py: what its owner allows
  miner_guard.py   its watchdog; watchdog.py and schedule.py, pure, are the rules
  miner_store.py   what outlives the sentry; miner_settings.py, miner_tools.py
  miners/, ask.py, figures.py  how to ask each kind of miner
"""
