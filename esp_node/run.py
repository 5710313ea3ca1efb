"""What main.py calls in a slot. main.py is never updated, so what must be done before the node runs is done here."""

from esp_node import late
from esp_node.node import main as _main


def main(path):
    """Run the node that the config.json at `path` describes, in safe mode if it must be. Returns the exit code."""
    return _main(path, late.call("esp_node.guard", "safe", path))
