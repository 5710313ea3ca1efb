"""What main.py calls in a slot. main.py is never updated, so this name is to stay."""

from esp_node.node import main  # noqa: F401 (handed on)
