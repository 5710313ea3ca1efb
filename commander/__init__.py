"""The commander keeps the farm's records, decides, and serves the read model.

Read in this order:
  flow.py        THE line: message -> rule -> effects -> transaction -> acknowledgement -> outbox
  effects.py     what a rule may answer: Put, Add, Send, SendBlob
  fleet/         rules.py (pure), tables.py, views.py of the base; mining, energy, boards, streams come beside it
  projection.py  the farm in memory, built by the same effects
  *_edge.py      MQTT, database, HTTP: the only files that import their libraries; blob_edge.py sends files to nodes
  leader.py      who may command; up.py starts a whole farm on one machine
"""
