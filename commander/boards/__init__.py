"""FPGA boards in the farm's records: who may use which board, for how long, and who is next.

pool.py: the boards as their sentries report them. queue.py: who gets what, and when. leases.py: what people ask, and
what a second changes. book.py: how a change of leases becomes effects. rules.py: what messages and time do. orders.py:
commands to a board. views.py and tables.py: what is shown and kept. Read pool.py and queue.py first.
"""
