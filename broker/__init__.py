"""One Mosquitto per domain: from farm.toml to running, watched, bridged brokers.

Read in this order:
  farmfile.py  farm.toml -> Farm; errors with line and remedy        (pure)
  domains.py   Farm -> routes: which topics cross which link         (pure)
  users.py     who may log in, with which role; passwords.py         (pure)
  mosquitto.py the texts Mosquitto reads: conf, ACL, password file   (pure)
  kit.py       what one domain starts from, as a file; bootstrap.py makes all of them; certs.py
  steward.py   the loop beside one Mosquitto: keeper.py and supervise.py run it, watch.py (pure)
               reads its log and $SYS, news.py and outbox.py say, orders.py obeys; mqtt_edge.py
  cli.py       farmhand broker up | check | show | kit | install
"""
