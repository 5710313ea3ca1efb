"""Mining in the farm's records. rules.py (pure) says what a message does.

DUCO rigs: grants.py, what a pool gateway may; rigs.py, what a rig does now; views.py with counters.py, what it did.
Playbooks: templates.py, software.py with catalog/, playbooks.py and labels.py are the records; render.py fills in
placeholders; miners.py makes a node's document of them; changes.py is what people ask, issue.py what becomes of it,
rollouts.py and trials.py how far it is; newcomers.py serves nodes that come later. Read changes.py first.
"""
